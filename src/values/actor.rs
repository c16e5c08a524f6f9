//! Who did something, as a person says it. Histories keep the name of an account, or a word where none did it: `cli`, `system`. Nobody can
//! call themself so, since not every history knows accounts apart, and none can where what is said of both is the same ("Tollgate").

use super::is_blank;
use serde::{Deserialize, Serialize};

/// Who did it, in a history that knows accounts apart: whatever a person is called, they are said by their name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actor {
    /// The name at that time, or one of the words.
    pub name: String,
    pub is_account: bool,
}

impl Actor {
    /// At the beginning of a sentence, as `actor_words`.
    pub fn words(&self) -> &str {
        if self.is_account { &self.name } else { actor_words(&self.name) }
    }

    /// Behind what was done or when, as `by_words`.
    pub fn by(&self) -> String {
        if self.is_account { format!("by {}", self.name) } else { by_words(&self.name) }
    }
}

/// At the beginning of a sentence: "An operator on the command line created the key".
pub fn actor_words(name: &str) -> &str {
    match name {
        "cli" => "An operator on the command line",
        "system" => "Tollgate",
        "secret scanning" => "Secret scanning",
        name => name,
    }
}

/// Behind what was done or when: "by Mara", "on the command line". Nothing where nobody is known.
pub fn by_words(name: &str) -> String {
    match name {
        "" => String::new(),
        "cli" => "on the command line".to_owned(),
        "system" => "by Tollgate".to_owned(),
        name => format!("by {name}"),
    }
}

/// What is kept, and what is said, where no account did it.
const NOBODYS: [&str; 5] = ["cli", "system", "secret scanning", "tollgate", "an operator on the command line"];
/// How the pseudonym of an account that was erased begins, and how many hexadecimal digits follow.
pub const FORMER: (&str, usize) = ("former-", 12);

/// Whether a history would read this name as somebody else: as Tollgate, the command line, or an account that was erased. In any case, and with
/// characters that take no room, too.
pub fn stands_for_another(name: &str) -> bool {
    // What nobody sees makes no other name of it.
    let name = name.chars().filter(|c| !is_blank(*c)).collect::<String>().to_lowercase();
    let is_former = |rest: &str| rest.len() == FORMER.1 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    NOBODYS.contains(&name.as_str()) || name.strip_prefix(FORMER.0).is_some_and(is_former)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_as_what_is_no_account() {
        assert!(["cli", "CLI", "System", "Secret scanning", "Tollgate", "former-0123456789ab", "Former-0123456789AB"].into_iter().all(stands_for_another));
        assert!(["c\u{200b}li", "System\u{2060}", "\u{feff}Toll\u{ad}gate"].into_iter().all(stands_for_another), "they look the same");
        assert!(!["Mara", "Clio", "cli 2", "Systema", "former-minister", "former-0123456789abc", ""].into_iter().any(stands_for_another));
        for kept in ["cli", "system", "secret scanning"] {
            assert!(stands_for_another(kept) && stands_for_another(actor_words(kept)), "{kept}");
        }
    }

    #[test]
    fn who_did_it_reads_as_a_person_says_it() {
        assert_eq!(["cli", "system", "Mara"].map(actor_words), ["An operator on the command line", "Tollgate", "Mara"]);
        assert_eq!(["cli", "system", "Mara", ""].map(by_words), ["on the command line", "by Tollgate", "by Mara", ""]);
    }

    #[test]
    fn whoever_is_called_as_the_command_line_is_said_by_that_name() {
        let said = |name: &str, is_account| {
            let actor = Actor { name: name.to_owned(), is_account };
            (actor.words().to_owned(), actor.by())
        };
        assert_eq!(said("cli", true), ("cli".to_owned(), "by cli".to_owned()));
        assert_eq!(said("cli", false), ("An operator on the command line".to_owned(), "on the command line".to_owned()));
        assert_eq!((said("system", true).1, said("system", false).1), ("by system".to_owned(), "by Tollgate".to_owned()));
        assert_eq!(said("", false).1, "");
    }
}
