//! Passwords that leaked somewhere, looked up in a file of this machine (R5): nothing of a password leaves it, and no network is needed.
//!
//! The file is the list of Have I Been Pwned as its downloader writes it: a line for each password, which begins with the 40 hexadecimal
//! digits of its SHA-1, all of them sorted; the rest of a line is not read. The list is never loaded: halving finds a line in some forty
//! short reads. Where it can't be read, passwords pass and the log says so: a lost file keeps nobody from signing up.

use crate::platform::Ctx;
use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use std::{
    cmp::Ordering,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
};
use unicode_normalization::UnicodeNormalization;

/// Hexadecimal digits of a SHA-1.
const DIGITS: usize = 40;
/// Longer than any line of such a list.
const LINE_BYTES: u64 = 80;
/// Two lines fit, the one that is skipped and the one that is read.
const BUFFER_BYTES: usize = 160;

/// Whether this password stands in the list; false without a list, or if it can't be read.
pub async fn has_leaked(ctx: &Ctx, password: &SecretString) -> bool {
    let Some(path) = ctx.config.auth.breached_passwords.clone() else { return false };
    let digits = digits_of(password.expose_secret());
    let looked_up = tokio::task::spawn_blocking(move || holds(File::open(path)?, &digits)).await;
    looked_up.map_err(io::Error::other).and_then(|found| found).unwrap_or_else(|error| {
        tracing::warn!("whether a new password has leaked is not known, it passes: auth.breached_passwords: {error}");
        false
    })
}

/// As the list writes it: of the form in which passwords are compared, in capitals.
fn digits_of(password: &str) -> String {
    let normal: String = password.nfkc().collect();
    Sha1::digest(normal.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Looks for the line that begins with these digits.
fn holds(list: impl Read + Seek, digits: &str) -> io::Result<bool> {
    let mut list = BufReader::with_capacity(BUFFER_BYTES, list);
    // Lines that begin before `low` are smaller; those that begin at `high` or behind it are larger.
    let (mut low, mut high) = (0, list.seek(SeekFrom::End(0))?);
    while low < high {
        let middle = low + (high - low) / 2;
        let (start, line) = first_line(&mut list, middle)?;
        if start >= high {
            high = middle;
            continue;
        }
        match sum_of(&line)?.as_str().cmp(digits) {
            Ordering::Equal => return Ok(true),
            Ordering::Less => low = start + line.len() as u64,
            Ordering::Greater => high = middle,
        }
    }
    Ok(false)
}

/// The first line that begins at this byte or behind it, and where that is; an empty one behind the end.
fn first_line(list: &mut BufReader<impl Read + Seek>, at: u64) -> io::Result<(u64, Vec<u8>)> {
    let mut start = list.seek(SeekFrom::Start(at.saturating_sub(1)))?;
    if at > 0 {
        // If the byte before ends a line, that byte is all that is skipped.
        start += read_line(list)?.len() as u64;
    }
    Ok((start, read_line(list)?))
}

fn read_line(list: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    list.take(LINE_BYTES).read_until(b'\n', &mut line)?;
    if line.len() as u64 == LINE_BYTES { Err(no_list()) } else { Ok(line) }
}

fn sum_of(line: &[u8]) -> io::Result<String> {
    let sum = line.get(..DIGITS).filter(|sum| sum.iter().all(u8::is_ascii_hexdigit)).ok_or_else(no_list)?;
    Ok(String::from_utf8_lossy(sum).to_ascii_uppercase())
}

fn no_list() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its lines do not begin with a SHA-1 of 40 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// The list of these passwords, with counts of different lengths.
    fn list(passwords: impl Iterator<Item = String>, end: &str) -> String {
        let mut sums: Vec<String> = passwords.map(|password| digits_of(&password)).collect();
        sums.sort();
        sums.iter().enumerate().map(|(n, sum)| format!("{sum}:{}{end}", 7_u64.pow(u32::try_from(n % 12).unwrap()))).collect()
    }

    fn is_in(list: &str, password: &str) -> io::Result<bool> {
        holds(Cursor::new(list.as_bytes()), &digits_of(password))
    }

    #[test]
    fn every_line_is_found_and_nothing_between_them() {
        for count in [0, 1, 2, 3, 50] {
            for end in ["\n", "\r\n"] {
                let text = list((0..count).map(|n| format!("leaked {n}")), end);
                for text in [text.as_str(), text.trim_end(), &text.to_ascii_lowercase()] {
                    assert!((0..count).all(|n| is_in(text, &format!("leaked {n}")).unwrap()), "{count}: {text}");
                    assert!((0..100).all(|n| !is_in(text, &format!("other {n}")).unwrap()), "{count}: {text}");
                }
            }
        }
    }

    #[test]
    fn the_digits_are_those_that_others_compute() {
        assert_eq!(digits_of("password"), "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
    }

    #[test]
    fn what_is_no_list_is_an_error_and_no_answer() {
        for text in ["password\nletmein\n", &"x".repeat(500), "\u{0}\u{1}\u{2}"] {
            assert!(is_in(text, "password").is_err(), "{text}");
        }
    }
}
