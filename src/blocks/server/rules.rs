//! What may be blocked, for how long, and why.

use super::store::Target;
use crate::{
    blocks::model::BlockAction,
    error::AppError,
    values::{KeyId, WorkspaceId},
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::IpAddr;

/// A block lasts a second to a year, if it ends by itself.
const LONGEST: u64 = 366 * 86_400;

/// What a person means by what they typed: an address, a network, the id of a key or a workspace.
pub fn target(text: &str) -> Result<Target, String> {
    let text = text.trim();
    if text.starts_with("key_") {
        return text.parse::<KeyId>().map(Target::Key).map_err(|e| e.to_string());
    }
    if text.starts_with("ws_") {
        return text.parse::<WorkspaceId>().map(Target::Workspace).map_err(|e| e.to_string());
    }
    network(text).map(Target::Network)
}

/// A network that can be blocked. One IPv6 address stands for its /64, which is what one customer of a provider has.
pub fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let read = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let read = read.map_err(|_| format!("“{text}” is neither an address nor a network. Write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48."))?;
    match canonical(read) {
        IpNet::V4(v4) if v4.prefix_len() < 8 => Err("A network of IPv4 is /8 or narrower.".to_owned()),
        IpNet::V6(v6) if v6.prefix_len() < 16 => Err("A network of IPv6 is /16 or narrower.".to_owned()),
        IpNet::V6(v6) if v6.prefix_len() > 64 => Ok(Ipv6Net::new(v6.addr(), 64).map_or(v6, |wider| wider.trunc()).into()),
        other => Ok(other.trunc()),
    }
}

/// IPv4 that was written as IPv6 is IPv4.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::from)
}

/// Networks that no block shall hold: at most 50.
pub fn networks<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<IpNet>, String> {
    let mut all = texts.into_iter().map(str::trim).filter(|t| !t.is_empty()).map(network).collect::<Result<Vec<_>, _>>()?;
    all.sort();
    all.dedup();
    if all.len() > 50 { Err("There are at most 50 networks.".to_owned()) } else { Ok(all) }
}

/// Why: one line of 1 to 200 characters.
pub fn reason(text: &str) -> Result<String, &'static str> {
    match note(text)? {
        text if text.is_empty() => Err("Enter a reason, for those who read the list later."),
        text => Ok(text),
    }
}

/// At most 200 characters on one line.
pub fn note(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err("Use one line, without control characters.");
    }
    if text.chars().count() > 200 { Err("Use at most 200 characters.") } else { Ok(text.to_owned()) }
}

/// What a block does with calls: it slows to a rate that makes sense.
pub fn action(action: BlockAction) -> Result<BlockAction, &'static str> {
    match action.per_second() {
        Some(n) if !(1..=BlockAction::FASTEST).contains(&n) => Err("Enter a whole number from 1 to 10,000."),
        _ => Ok(action),
    }
}

/// The action that a word and a rate name: `refuse`, or `slow` with how many calls pass in a second.
pub fn action_of(word: &str, per_second: Option<u32>) -> Result<BlockAction, AppError> {
    match (word, per_second) {
        ("refuse", None) => Ok(BlockAction::Refuse),
        ("slow", Some(per_second)) => Ok(BlockAction::Slow { per_second }),
        ("slow", None) => Err(AppError::invalid("per_second", "Say how many calls pass in a second: 1 to 10,000.")),
        ("refuse", Some(_)) => Err(AppError::invalid("per_second", "Only what slows has a rate.")),
        _ => Err(AppError::invalid("action", "It is refuse or slow.")),
    }
}

/// The same of a rule, which may only tell.
pub fn then_of(word: &str, per_second: Option<u32>) -> Result<Option<BlockAction>, AppError> {
    match (word, per_second) {
        ("tell", None) => Ok(None),
        ("tell", Some(_)) => Err(AppError::invalid("per_second", "Only what slows has a rate.")),
        ("refuse" | "slow", _) => action_of(word, per_second).map(Some),
        _ => Err(AppError::invalid("action", "It is refuse, slow or tell.")),
    }
}

/// How long a block lasts; none: until it is lifted.
pub fn seconds(seconds: Option<u64>) -> Result<Option<u64>, &'static str> {
    match seconds {
        Some(0) => Err("A block lasts at least a second."),
        Some(n) if n > LONGEST => Err("A block lasts at most 366 days, or until it is lifted."),
        other => Ok(other),
    }
}

/// "10m", "1h", "24h", "7d": seconds; "never": none.
pub fn lasting(text: &str) -> Result<Option<u64>, &'static str> {
    const RULE: &str = "Write a number and a unit: 30s, 10m, 24h or 7d; or never.";
    let text = text.trim();
    if text == "never" {
        return Ok(None);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(RULE)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(RULE),
    };
    let number = number.parse::<u64>().map_err(|_| RULE)?;
    seconds(Some(number.checked_mul(unit).ok_or(RULE)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::model::lasting_words;

    #[test]
    fn a_network_is_read_as_it_is_meant() {
        for (typed, meant) in [
            ("203.0.113.7", "203.0.113.7/32"),
            (" 203.0.113.7/24 ", "203.0.113.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("2001:db8::/96", "2001:db8::/64"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::ffff:203.0.113.7", "203.0.113.7/32"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ] {
            assert_eq!(network(typed).map(|n| n.to_string()).as_deref(), Ok(meant), "{typed}");
        }
        for wrong in ["", "203.0.113", "0.0.0.0/0", "10.0.0.0/7", "::/0", "2001::/15", "::ffff:0:0/96", "example.com", "203.0.113.7/33"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_slows_has_a_rate() {
        let slow = Ok(BlockAction::Slow { per_second: 5 });
        assert_eq!((action_of("refuse", None), action_of("slow", Some(5))), (Ok(BlockAction::Refuse), slow));
        assert_eq!((then_of("tell", None), then_of("slow", Some(5)).map(|then| then.is_some())), (Ok(None), Ok(true)));
        for (word, rate, field) in [("slow", None, "per_second"), ("refuse", Some(5), "per_second"), ("tell", None, "action"), ("", None, "action")] {
            assert!(action_of(word, rate).is_err_and(|error| error.field(field).is_some()), "{word} {rate:?}");
        }
        assert!(then_of("tell", Some(1)).is_err() && then_of("block", None).is_err());
        for (rate, fits) in [(0, false), (1, true), (10_000, true), (10_001, false)] {
            assert_eq!(action(BlockAction::Slow { per_second: rate }).is_ok(), fits, "{rate}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("1h", 3_600), ("7d", 604_800), ("90m", 5_400)] {
            assert_eq!((lasting(text), lasting_words(seconds)), (Ok(Some(seconds)), text.to_owned()));
        }
        assert_eq!((lasting("never"), lasting("24h")), (Ok(None), Ok(Some(86_400))));
        for wrong in ["", "m", "10", "10y", "-1h", "0s", "367d", "99999999999999999d", "1ü"] {
            assert!(lasting(wrong).is_err(), "{wrong}");
        }
    }
}
