//! Structured field values (RFC 9651), as far as signatures need them: dictionaries of items and inner lists, read strictly and written
//! back in the one canonical form. Decimals, dates and display strings stand in none of these fields and are refused.

use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt;

/// The longest field that is read, in bytes.
const LONGEST: usize = 8 * 1024;
/// The most members of a dictionary or an inner list.
const MOST: usize = 64;

/// A value without parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bare {
    /// At most 15 digits.
    Integer(i64),
    Text(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
}

/// In their order, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(pub Vec<(String, Bare)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub value: Bare,
    pub parameters: Parameters,
}

/// What stands behind a name of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    Item(Item),
    List(Vec<Item>, Parameters),
}

/// This is no dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl Parameters {
    pub fn get(&self, name: &str) -> Option<&Bare> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Bare::Text(text)) = self.get(name) { Some(text) } else { None }
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        if let Some(Bare::Integer(number)) = self.get(name) { Some(*number) } else { None }
    }
}

/// Reads a dictionary (§4.2.2). A name that stands twice has its last value.
pub fn dictionary(text: &str) -> Result<Vec<(String, Member)>, Malformed> {
    if text.len() > LONGEST || !text.is_ascii() {
        return Err(Malformed);
    }
    let mut reader = Reader { rest: text.trim_matches(' ').as_bytes() };
    let mut members: Vec<(String, Member)> = Vec::new();
    while !reader.rest.is_empty() {
        let name = reader.key()?;
        let member = if reader.takes(b'=') { reader.member()? } else { Member::Item(Item { value: Bare::Boolean(true), parameters: reader.parameters()? }) };
        put(&mut members, name, member);
        reader.skip(b" \t");
        if reader.rest.is_empty() {
            break;
        }
        reader.must(b',')?;
        reader.skip(b" \t");
        // A comma at the end, or more than anybody needs.
        if reader.rest.is_empty() || members.len() > MOST {
            return Err(Malformed);
        }
    }
    Ok(members)
}

fn put<T>(members: &mut Vec<(String, T)>, name: String, value: T) {
    members.retain(|(known, _)| *known != name);
    members.push((name, value));
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.rest.first() == Some(&byte);
        if is_next {
            self.rest = &self.rest[1..];
        }
        is_next
    }

    fn must(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.takes(byte) { Ok(()) } else { Err(Malformed) }
    }

    fn skip(&mut self, bytes: &[u8]) {
        while self.rest.first().is_some_and(|b| bytes.contains(b)) {
            self.rest = &self.rest[1..];
        }
    }

    fn while_is(&mut self, is_part: impl Fn(u8) -> bool) -> String {
        let len = self.rest.iter().take_while(|b| is_part(**b)).count();
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        String::from_utf8_lossy(taken).into_owned()
    }

    fn key(&mut self) -> Result<String, Malformed> {
        match self.rest.first() {
            Some(b'a'..=b'z' | b'*') => Ok(self.while_is(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.*".contains(&b))),
            _ => Err(Malformed),
        }
    }

    fn member(&mut self) -> Result<Member, Malformed> {
        if !self.takes(b'(') {
            return self.item().map(Member::Item);
        }
        let mut items = Vec::new();
        loop {
            self.skip(b" ");
            if self.takes(b')') {
                return Ok(Member::List(items, self.parameters()?));
            }
            items.push(self.item()?);
            if items.len() > MOST || !matches!(self.rest.first(), Some(b' ' | b')')) {
                return Err(Malformed);
            }
        }
    }

    fn item(&mut self) -> Result<Item, Malformed> {
        Ok(Item { value: self.bare()?, parameters: self.parameters()? })
    }

    fn parameters(&mut self) -> Result<Parameters, Malformed> {
        let mut all = Vec::new();
        while self.takes(b';') {
            self.skip(b" ");
            let name = self.key()?;
            let value = if self.takes(b'=') { self.bare()? } else { Bare::Boolean(true) };
            put(&mut all, name, value);
            if all.len() > MOST {
                return Err(Malformed);
            }
        }
        Ok(Parameters(all))
    }

    fn bare(&mut self) -> Result<Bare, Malformed> {
        match self.rest.first() {
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b'"') => self.text(),
            Some(b':') => self.bytes(),
            Some(b'?') => self.boolean(),
            Some(b) if b.is_ascii_alphabetic() || *b == b'*' => {
                Ok(Bare::Token(self.while_is(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&b))))
            }
            _ => Err(Malformed),
        }
    }

    fn integer(&mut self) -> Result<Bare, Malformed> {
        let is_negative = self.takes(b'-');
        let digits = self.while_is(|b| b.is_ascii_digit());
        if digits.len() > 15 || self.rest.first() == Some(&b'.') {
            return Err(Malformed);
        }
        let number: i64 = digits.parse().map_err(|_| Malformed)?;
        Ok(Bare::Integer(if is_negative { -number } else { number }))
    }

    fn text(&mut self) -> Result<Bare, Malformed> {
        self.must(b'"')?;
        let mut text = String::new();
        loop {
            match self.next().ok_or(Malformed)? {
                b'"' => return Ok(Bare::Text(text)),
                b'\\' => match self.next() {
                    Some(escaped @ (b'"' | b'\\')) => text.push(char::from(escaped)),
                    _ => return Err(Malformed),
                },
                plain @ 0x20..=0x7e => text.push(char::from(plain)),
                _ => return Err(Malformed),
            }
        }
    }

    fn bytes(&mut self) -> Result<Bare, Malformed> {
        self.must(b':')?;
        let text = self.while_is(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
        self.must(b':')?;
        STANDARD.decode(text).map(Bare::Bytes).map_err(|_| Malformed)
    }

    fn boolean(&mut self) -> Result<Bare, Malformed> {
        self.must(b'?')?;
        match self.next() {
            Some(b'1') => Ok(Bare::Boolean(true)),
            Some(b'0') => Ok(Bare::Boolean(false)),
            _ => Err(Malformed),
        }
    }
}

impl fmt::Display for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Self::Token(token) => f.write_str(token),
            Self::Bytes(bytes) => write!(f, ":{}:", STANDARD.encode(bytes)),
            Self::Boolean(is_true) => f.write_str(if *is_true { "?1" } else { "?0" }),
        }
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            write!(f, ";{name}")?;
            if *value != Bare::Boolean(true) {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.value, self.parameters)
    }
}

/// An inner list as it is written: `("@method" "date");created=1`.
pub fn list(items: &[Item], parameters: &Parameters) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    format!("({}){parameters}", items.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> Option<String> {
        let members = dictionary(text).ok()?;
        let member = |(name, member): &(String, Member)| match member {
            Member::Item(item) => format!("{name}={item}"),
            Member::List(items, parameters) => format!("{name}={}", list(items, parameters)),
        };
        Some(members.iter().map(member).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn what_is_read_is_written_in_one_form() {
        for (text, canonical) in [
            ("", ""),
            (r#"sig1=( "@method"   "date" );created=1618884473;keyid="a\"b""#, r#"sig1=("@method" "date");created=1618884473;keyid="a\"b""#),
            ("a=1,\t b=?0 ,c;x", "a=1, b=?0, c=?1;x"),
            ("a=1, b=2, a=3", "b=2, a=3"),
            ("sig=:cHJldGVuZA==:", "sig=:cHJldGVuZA==:"),
            ("a=token/1:2;q=-7", "a=token/1:2;q=-7"),
            ("a=();b", "a=();b"),
        ] {
            assert_eq!(written(text).as_deref(), Some(canonical), "{text}");
        }
    }

    #[test]
    fn what_is_no_dictionary_is_refused() {
        let long = format!("a=\"{}\"", "x".repeat(LONGEST));
        let many = vec!["a"; 1].into_iter().chain((0..100).map(|_| "b")).enumerate().map(|(n, c)| format!("{c}{n}")).collect::<Vec<_>>().join(", ");
        for text in [
            "a=",
            "=1",
            "A=1",
            "a=1,",
            "a=1,,b=2",
            "a=1 b=2",
            "a=(1",
            "a=(1 2",
            "a=(1)x",
            "a=(1\"b\")",
            "a=\"",
            "a=\"\\x\"",
            "a=\"ü\"",
            "a=:%:",
            "a=:aa",
            "a=?2",
            "a=1.5",
            "a=-",
            "a=1234567890123456",
            "a=@1",
            "a=%\"x\"",
            "a;",
            "a=1;=2",
            "\ta=1",
            &long,
            &many,
        ] {
            assert_eq!(dictionary(text), Err(Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC*") {
            let _ = dictionary(&text);
        }

        #[test]
        fn nothing_that_looks_like_it_makes_it_panic_and_what_it_writes_reads_the_same(text in r#"[a-c=(); ,":?01\\*@.+/-]{0,60}"#) {
            if let Some(first) = written(&text) {
                let second = written(&first);
                prop_assert_eq!(second.as_deref(), Some(first.as_str()));
            }
        }
    }
}
