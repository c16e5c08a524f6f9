//! The head: the number and the MAC of the last link. Whoever has an older one can tell that the end was cut off, which the chain alone
//! can't; so it is told outside the database: in the log, in a file, on paper.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// `1234:9f86d0…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub number: i64,
    pub mac: Vec<u8>,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, HEXLOWER.encode(&self.mac))
    }
}

impl Serialize for Head {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "A head is a number, a colon and 64 of the characters 0-9 and a-f, as `tollgate audit head` prints it.";
        let (number, mac) = text.trim().split_once(':').ok_or(WRONG)?;
        let number = number.parse::<i64>().ok().filter(|number| *number > 0).ok_or(WRONG)?;
        let mac = HEXLOWER_PERMISSIVE.decode(mac.as_bytes()).ok().filter(|mac| mac.len() == 32).ok_or(WRONG)?;
        Ok(Self { number, mac })
    }
}

/// The heads in a text such as the anchor file: the last word of each line that is neither empty nor a comment.
pub fn heads(text: &str) -> Result<Vec<Head>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let head = |(n, line): (usize, &str)| {
        let word = line.split_whitespace().last().unwrap_or_default();
        word.parse::<Head>().map_err(|wrong| format!("Line {}: {wrong}", n + 1))
    };
    lines.map(head).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r83_a_head_is_read_as_it_is_written() {
        let head = Head { number: 12, mac: vec![0xab; 32] };
        assert_eq!(head.to_string().parse::<Head>(), Ok(head.clone()));
        assert_eq!(head.to_string().to_uppercase().parse::<Head>(), Ok(head.clone()));
        for wrong in ["", "12", "0:00", ":", "-1:ab", "12:abc", &head.to_string()[..60]] {
            assert!(wrong.parse::<Head>().is_err(), "{wrong}");
        }
        let file = format!("# heads\n\n2026-11-21T12:00:00Z {head}\n{head}\r\n");
        assert_eq!(heads(&file), Ok(vec![head.clone(), head]));
        assert!(heads("x\n").unwrap_err().starts_with("Line 1: "));
    }
}
