//! The passwords that are tried first, as far as they are long enough to matter (R4): embedded, so that the check works offline.
//!
//! What leaked long passwords have in common is how they are made: short favourites side by side or repeated, a run of digits or a
//! year behind them; walks over the keyboard; famous phrases. The lists hold what they are made of, and this module recognises
//! every combination: some hundred thousand passwords of 15 characters and more. Case, spaces and punctuation do not count.

use std::sync::LazyLock;

const WORDS: &str = include_str!("words.txt");
const PHRASES: &str = include_str!("phrases.txt");
const WALKS: &str = include_str!("walks.txt");

/// What people put before or behind a word that is too short.
const TAILS: &[&str] = &[
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "0",
    "01",
    "007",
    "11",
    "111",
    "1111",
    "00",
    "000",
    "0000",
    "69",
    "99",
    "321",
    "4321",
    "54321",
    "654321",
    "987654321",
    "2020",
    "2021",
    "2022",
    "2023",
    "2024",
    "2025",
    "2026",
    "abc",
    "qwe",
];
/// So many pieces side by side are still guessed early.
const MOST_PIECES: u8 = 4;

/// Words, phrases and tails, bare.
static PIECES: LazyLock<Vec<String>> = LazyLock::new(|| WORDS.split_whitespace().chain(PHRASES.lines()).chain(TAILS.iter().copied()).map(bare).collect());

/// True if the password is on the list.
pub fn is_common(password: &str) -> bool {
    let bare = bare(password);
    is_repeated(password) || is_repeated(&bare) || WALKS.lines().any(|walk| !bare.is_empty() && walk.contains(&bare)) || is_made_of_pieces(&bare, MOST_PIECES)
}

/// Letters and digits only, in lower case: `Pass-Word 123!` is `password123`.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `aaaaaaaaaaaaaaa`, `abcabcabcabcabc`, `footballfootball`: at most four characters, or a listed piece, again and again.
fn is_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let has_period = |n: usize| chars.len() > 2 * n && chars.iter().zip(chars.iter().skip(n)).all(|(a, b)| a == b);
    let is_only =
        |piece: &String| !text.is_empty() && text.len().is_multiple_of(piece.len()) && text.as_bytes().chunks(piece.len()).all(|c| c == piece.as_bytes());
    (1..=4).any(has_period) || PIECES.iter().any(is_only)
}

fn is_made_of_pieces(bare: &str, left: u8) -> bool {
    let then_ends = |rest: &str| rest.is_empty() || is_made_of_pieces(rest, left - 1);
    left > 0 && PIECES.iter().any(|piece| bare.strip_prefix(piece.as_str()).is_some_and(then_ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r4_far_more_than_three_thousand_entries_meet_the_length() {
        let words: Vec<String> = WORDS.split_whitespace().map(bare).collect();
        let pairs = words.iter().flat_map(|a| words.iter().map(move |b| format!("{a}{b}")));
        let long: std::collections::HashSet<String> = pairs.filter(|p| p.chars().count() >= 15).collect();
        assert!(long.len() >= 3000, "{}", long.len());
        assert!(long.iter().step_by(97).all(|entry| is_common(entry)));
        assert!(PIECES.iter().all(|piece| !piece.is_empty()));
    }

    #[test]
    fn favourites_are_known_however_they_are_dressed() {
        for password in [
            "passwordpassword",
            "PasswordPassword",
            "password-password-1",
            "iloveyouforever",
            "qwertyuiopasdfgh",
            "123456789012345",
            "correct horse battery staple",
            "Correct-Horse-Battery-Staple!",
            "1qaz2wsx3edc4rfv",
            "aaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "administrator123",
            "welcome1234567890",
            "football football football football",
            "Summer 2026, Winter 2026",
            "passwordiloveyou",
            "                                ",
            "!!!!!!!!!!!!!!!!",
            "-_-_-_-_-_-_-_-_",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn s9_other_long_ones_pass_digits_alone_too() {
        for password in ["korallenriff im winter", "827364915028374", "gate keeper sings at noon", "четыре зелёных чайника", "%&/()=?§$%&/()="]
        {
            assert!(!is_common(password), "{password}");
        }
    }
}
