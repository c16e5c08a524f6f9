//! What serde, and what reads numbers, times and addresses below it, say of what they can't read: in words of people, with the next step.
//! They speak of types of Rust, which nobody sends.

/// A text is not repeated where it is longer: it may be anything, a secret too.
const LONGEST: usize = 40;
const TIME: &str = "A time looks like 2027-01-31T12:00:00Z.";
const ADDRESS: &str = "An address looks like 203.0.113.7 or 2001:db8::1.";

/// One sentence, or two. What is not known here stays as it was said.
pub(super) fn in_words(said: &str) -> String {
    let of_a_kind = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "));
    if let Some((sent, wanted)) = of_a_kind.and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!("Send {}, not {}.", kind(wanted), value(sent));
    }
    if let Some((sent, known)) = said.strip_prefix("unknown variant ").and_then(|rest| rest.rsplit_once(", expected ")) {
        return if sent.len() > LONGEST { format!("Send {known}.") } else { format!("Send {known}, not {sent}.") };
    }
    match said {
        "unsupported value" => "This is said twice. Say it once.".to_owned(),
        "invalid digit found in string" | "cannot parse integer from empty string" => "Write a whole number, such as 20.".to_owned(),
        "number too large to fit in target type" => "This number is out of range. Write a smaller one.".to_owned(),
        "provided string was not `true` or `false`" => "Write true or false.".to_owned(),
        "invalid IP address syntax" => ADDRESS.to_owned(),
        "a character literal was not valid" | "unexpected trailing characters; the end of input was expected" => TIME.to_owned(),
        _ if said.ends_with(" component could not be parsed") => TIME.to_owned(),
        _ if said.ends_with(" was not in range") => format!("There is no such time. {TIME}"),
        _ => sentence(said),
    }
}

/// What is wanted, where serde names a type.
fn kind(wanted: &str) -> &str {
    match wanted {
        "a string" | "a borrowed string" | "string or map" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65,535",
        "u32" => "a whole number from 0 to 4,294,967,295",
        "u64" | "usize" => "a whole number, at least 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "IP address" => "an address such as 203.0.113.7",
        _ if wanted.contains("OffsetDateTime") => "a time such as 2027-01-31T12:00:00Z",
        _ if wanted.starts_with("struct ") => "an object",
        other => other,
    }
}

/// What was sent instead.
fn value(sent: &str) -> &str {
    match sent {
        "sequence" => "a list",
        "map" => "an object",
        "unit value" => "null",
        _ if sent.starts_with("string ") => "text",
        // integer `5`, floating point `1.5`, boolean `true`
        _ => sent.split('`').nth(1).unwrap_or(sent),
    }
}

fn sentence(said: &str) -> String {
    let mut said = said.to_owned();
    if let Some(first) = said.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if !said.ends_with('.') {
        said.push('.');
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_a_type_is_left() {
        for (said, words) in [
            ("invalid type: integer `5`, expected a string", "Send text, not 5."),
            ("invalid type: string \"a, expected b\", expected a sequence", "Send a list, not text."),
            ("invalid type: null, expected a string", "Send text, not null."),
            ("invalid type: sequence, expected a map", "Send an object, not a list."),
            ("invalid value: integer `-1`, expected u32", "Send a whole number from 0 to 4,294,967,295, not -1."),
            ("invalid type: floating point `5.5`, expected u64", "Send a whole number, at least 0, not 5.5."),
            ("invalid type: integer `5`, expected an RFC3339-formatted `OffsetDateTime`", "Send a time such as 2027-01-31T12:00:00Z, not 5."),
            ("unknown variant `prod`, expected `live` or `test`", "Send `live` or `test`, not `prod`."),
            ("unknown variant `zz`, expected one of `a`, `b`, `c`", "Send one of `a`, `b`, `c`, not `zz`."),
            ("the 'year' component could not be parsed", TIME),
            ("month was not in range", "There is no such time. A time looks like 2027-01-31T12:00:00Z."),
            ("invalid IP address syntax", ADDRESS),
        ] {
            assert_eq!(in_words(said), words, "{said}");
        }
    }

    #[test]
    fn a_long_text_is_not_repeated_and_words_of_ours_stay() {
        let long = format!("unknown variant `{}`, expected `live` or `test`", "x".repeat(100));
        assert_eq!(in_words(&long), "Send `live` or `test`.");
        assert_eq!(in_words("missing field `name`"), "Missing field `name`.");
        assert_eq!(in_words("A window is a number."), "A window is a number.");
        assert_eq!(in_words(""), ".");
    }
}
