//! The shape of a whole secret, so that one that is pasted into a search never travels in an address. Only the shape: whether its checksum is
//! right does not matter, a secret with a typing mistake gives away as much.

/// The shape as a regular expression, as browsers read it in `pattern`: prefix, environment, 36 characters.
pub const SECRET_SHAPE: &str = "[a-z][a-z0-9]{1,11}_(live|test)_[0-9A-Za-z]{36}";

const PREFIX: usize = 12;
const BODY: usize = 36;
const MIDDLE: usize = "_live_".len();

/// Whether a secret, or what looks like one, stands anywhere in the text.
pub fn holds_secret(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut middles = bytes.windows(MIDDLE).enumerate().filter(|(_, six)| *six == b"_live_" || *six == b"_test_");
    middles.any(|(at, _)| ends_with_prefix(&bytes[..at]) && begins_with_body(&bytes[at + MIDDLE..]))
}

fn ends_with_prefix(head: &[u8]) -> bool {
    let word: Vec<u8> = head.iter().rev().take(PREFIX).take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit()).copied().collect();
    // From the end on: some letter but the last character begins it.
    word.iter().skip(1).any(u8::is_ascii_lowercase)
}

fn begins_with_body(rest: &[u8]) -> bool {
    rest.get(..BODY).is_some_and(|body| body.iter().all(u8::is_ascii_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_seen_wherever_it_stands() {
        let body = "0aA".repeat(12);
        for text in [
            format!("tg_live_{body}"),
            format!("a23456789012_test_{body}"),
            format!("Bearer demo_live_{body}"),
            format!("ü_live_demo_test_{body}x and more"),
            format!("123demo_live_{body}"),
            format!("/keys?q=demo_live_{body}&tag=x"),
        ] {
            assert!(holds_secret(&text), "{text}");
        }
    }

    #[test]
    fn starts_names_and_ids_are_none() {
        let body = "0aA".repeat(12);
        let short = &body[1..];
        for text in [
            String::new(),
            "_live_".to_owned(),
            "demo_live_0aA0".to_owned(),
            format!("demo_live_{short}"),
            format!("demo_live_{short}-"),
            format!("d_live_{body}"),
            format!("12_live_{body}"),
            format!("_live_{body}"),
            format!("demo_prod_{body}"),
            "key_01900000000070008000000000000000".to_owned(),
            "a".repeat(200),
        ] {
            assert!(!holds_secret(&text), "{text}");
        }
    }
}
