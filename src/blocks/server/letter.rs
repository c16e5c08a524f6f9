//! What the mails of abuse rules say, in every language: what was found of whom, what it did, and where it is undone.

use super::store::Finding;
use crate::{
    blocks::model::BlockAction,
    platform::mail::{Kind, Letter, Mail, Reader, Sample, harmless},
    ui::number::count,
    values::AbuseRule,
};
use time::Duration;

pub const KINDS: &[Kind] = &[
    Kind {
        name: "blocks.found",
        about: "To operators, when an abuse rule found something.",
        sample: |s| Box::new(RulesFound { findings: vec![network(s)], all: 1, blocks: s.link(BLOCKS) }),
    },
    Kind {
        name: "blocks.found_many",
        about: "To operators, when abuse rules found several things since the last mail.",
        sample: |s| Box::new(RulesFound { findings: vec![network(s), key(s)], all: 12, blocks: s.link(BLOCKS) }),
    },
];

/// Where blocks are undone.
pub const BLOCKS: &str = "/admin/blocks?state=all";

pub struct RulesFound {
    /// At least one, the newest first.
    pub findings: Vec<Finding>,
    /// With those that the mail does not name.
    pub all: u64,
    pub blocks: String,
}

impl RulesFound {
    fn more(&self) -> Option<u64> {
        let named = self.findings.len() as u64;
        (self.all > named).then(|| self.all - named)
    }
}

impl Letter for RulesFound {
    fn en(&self, to: &Reader) -> Mail {
        let facts = self.findings.iter().map(|it| {
            let ends = it.until.map_or_else(|| "it is lifted".to_owned(), |at| to.moment(at));
            let said = match it.action {
                Some(action) => format!("{}; {} until {ends}", it.reason, action.words()),
                None => format!("{}; found {}", it.reason, to.moment(it.since)),
            };
            (target(it, ["The key", "The workspace", "Something that is gone"]), said)
        });
        let (subject, lead) = match &self.findings[..] {
            [one] if self.all == 1 => {
                let lead = match one.action {
                    None => "A rule found this and only tells. Its calls go on as before.",
                    Some(_) => "A rule found this and acted by itself.",
                };
                (format!("{}: {}", target(one, ["The key", "The workspace", "Something that is gone"]), one.reason), lead)
            }
            _ => (format!("Abuse rules found {}", count(self.all, "target", "targets")), "Rules found these since the last mail. The newest come first."),
        };
        let mut mail = to.mail(subject).text(lead).facts(facts);
        if let Some(more) = self.more() {
            mail = mail.text(format!("And {more} more."));
        }
        mail.link("See the blocks", &self.blocks)
            .text("There you undo a block with one click, and set what each rule does and whether it mails.")
            .because("you are an operator who may block")
    }

    fn de(&self, to: &Reader) -> Mail {
        const NAMES: [&str; 3] = ["Der Schlüssel", "Der Arbeitsbereich", "Etwas, das es nicht mehr gibt"];
        let facts = self.findings.iter().map(|it| {
            let ends = it.until.map_or_else(|| "auf Weiteres".to_owned(), |at| format!("zum {}", to.moment(at)));
            let said = match it.action {
                Some(action) => format!("{}; {} bis {ends}", german_reason(&it.reason, to), german_action(action)),
                None => format!("{}; gefunden am {}", german_reason(&it.reason, to), to.moment(it.since)),
            };
            (target(it, NAMES), said)
        });
        let (subject, lead) = match &self.findings[..] {
            [one] if self.all == 1 => {
                let lead = match one.action {
                    None => "Eine Regel hat das gefunden und meldet es nur. Die Aufrufe gehen weiter wie zuvor.",
                    Some(_) => "Eine Regel hat das gefunden und von selbst gehandelt.",
                };
                (format!("{}: {}", target(one, NAMES), german_reason(&one.reason, to)), lead)
            }
            _ => (
                format!("Regeln gegen Missbrauch haben {} gefunden", to.count(self.all, "Ziel", "Ziele")),
                "Regeln haben das seit der letzten Mail gefunden. Das Neueste steht oben.",
            ),
        };
        let mut mail = to.mail(subject).text(lead).facts(facts);
        if let Some(more) = self.more() {
            mail = mail.text(format!("Und {} weitere.", to.language.thousands(more)));
        }
        mail.link("Sperren ansehen", &self.blocks)
            .text("Dort heben Sie eine Sperre mit einem Klick auf und stellen ein, was jede Regel tut und ob sie Mails schickt.")
            .because("Sie als Betreiber sperren dürfen")
    }
}

/// As people read it; one address of IPv4 without its length of prefix.
fn target(it: &Finding, [key, workspace, gone]: [&str; 3]) -> String {
    match (&it.network, &it.key_name, &it.workspace_name) {
        (Some(network), ..) => network.strip_suffix("/32").filter(|v4| v4.contains('.')).unwrap_or(network).to_owned(),
        (_, Some(name), _) => format!("{key} {}", harmless(name)),
        (_, _, Some(name)) => format!("{workspace} {}", harmless(name)),
        _ => gone.to_owned(),
    }
}

fn german_action(action: BlockAction) -> String {
    match action {
        BlockAction::Refuse => "abgewiesen".to_owned(),
        BlockAction::Slow { per_second: 1 } => "gebremst auf 1 Aufruf pro Sekunde".to_owned(),
        BlockAction::Slow { per_second } => format!("gebremst auf {per_second} Aufrufe pro Sekunde"),
    }
}

/// The reason as the rule wrote it (`RuleSetting::reason`), which is kept in English with the block. One that is not read stays as it is.
fn german_reason(reason: &str, to: &Reader) -> String {
    let Some((rule, most, minutes)) = read(reason) else { return reason.to_owned() };
    let what = match rule {
        AbuseRule::UnknownKeys => "unbekannte Schlüssel",
        AbuseRule::Refusals => "abgewiesene Aufrufe",
        AbuseRule::Spread => "Netze",
    };
    format!("Mehr als {} {what} in {}", to.language.thousands(most), to.count(minutes, "Minute", "Minuten"))
}

fn read(reason: &str) -> Option<(AbuseRule, u64, u64)> {
    let (most, rest) = reason.strip_prefix("More than ")?.split_once(' ')?;
    let (what, minutes) = rest.split_once(" in ")?;
    let rule = match what {
        "unknown keys" => AbuseRule::UnknownKeys,
        "refused calls" => AbuseRule::Refusals,
        "networks" => AbuseRule::Spread,
        _ => return None,
    };
    Some((rule, most.parse().ok()?, minutes.split_once(' ')?.0.parse().ok()?))
}

fn network(s: &Sample) -> Finding {
    Finding {
        network: Some("198.51.100.9/32".to_owned()),
        key_name: None,
        workspace_name: None,
        action: Some(BlockAction::Refuse),
        reason: "More than 100 unknown keys in 1 minute".to_owned(),
        since: s.at,
        until: Some(s.at + Duration::hours(1)),
    }
}

fn key(s: &Sample) -> Finding {
    Finding { network: None, key_name: Some(s.typed("nightly export")), action: None, reason: "More than 20 networks in 10 minutes".to_owned(), ..network(s) }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::{blocks::model::RuleSetting, values::AbuseRule};

    #[test]
    fn the_reason_of_every_rule_is_read() {
        for rule in AbuseRule::ALL {
            for minutes in [1, 60] {
                let setting = RuleSetting { rule, is_on: true, most: 1_000, minutes, then: None, seconds: 60, mails: true };
                assert_eq!(read(&setting.reason()), Some((rule, 1_000, minutes.into())));
            }
        }
        assert_eq!(read("Sends spam"), None);
    }
}
