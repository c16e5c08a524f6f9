//! Every kind of mail, in every language, with usual and hostile facts: word by word as snapshots, and what holds for all of them.

use std::{collections::BTreeSet, fs, mem::discriminant, path::Path};
use time::macros::datetime;
use tollgate::{
    admin::server::mail_kinds,
    platform::mail::{Kind, Mail, Nature, Rendered, Sample, render},
    values::Language,
};

pub const ORIGIN: &str = "https://gate.example.com";
/// The place of a leak: the one address in a mail that is not ours, and it is no link.
const PLACE: &str = "https://github.com/example/shop/blob/main/.env";

/// The kind with these facts, to Mara in Berlin.
pub fn written(kind: &Kind, language: Language, nature: Nature) -> (Mail, Rendered) {
    let sample = Sample { nature, origin: ORIGIN.to_owned(), at: datetime!(2026-11-21 15:05 UTC) };
    let reader = sample.reader("mara@example.com".parse().unwrap(), language, "Europe/Berlin");
    let mail = reader.write(&*(kind.sample)(&sample));
    let rendered = render(&mail, ORIGIN);
    (mail, rendered)
}

/// Every kind in every language with every sample, under a name for messages.
fn all() -> impl Iterator<Item = (String, Nature, Language, Rendered)> {
    mail_kinds().flat_map(|kind| {
        Language::ALL.into_iter().flat_map(move |language| {
            Nature::ALL.into_iter().map(move |nature| {
                let name = format!("{} {} {}", kind.name, language.as_str(), nature.as_str());
                (name, nature, language, written(kind, language, nature).1)
            })
        })
    })
}

/// Subject, text, and the part of the HTML that differs from mail to mail.
fn said(rendered: &Rendered) -> String {
    let html = &rendered.html;
    let main = &html[html.find("<main").unwrap()..html.find("</body>").unwrap()];
    format!("Subject: {}\n\n{}\n=== HTML ===\n{main}", rendered.subject, rendered.text)
}

#[test]
fn every_kind_says_what_it_said_before() {
    for kind in mail_kinds() {
        for language in Language::ALL {
            let both = [Nature::Usual, Nature::Markup].map(|nature| format!("=== {} ===\n{}\n", nature.label(), said(&written(kind, language, nature).1)));
            let said = both.concat();
            insta::assert_snapshot!(format!("{}_{}", kind.name.replace('.', "_"), language.as_str()), said);
        }
    }
}

/// The addresses in a text, without the marks of the sentence around them.
fn addresses(text: &str) -> BTreeSet<String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"');
    let starts = text.match_indices("http").filter(|(at, _)| ["http://", "https://"].iter().any(|scheme| text[*at..].starts_with(scheme)));
    starts.map(|(at, _)| text[at..].split(ends).next().unwrap_or_default().trim_end_matches(['.', ',']).to_owned()).collect()
}

#[test]
fn s98_no_mail_leads_anywhere_but_here_and_both_versions_lead_to_the_same() {
    for (name, _, _, Rendered { text, html, .. }) in all() {
        let html = html.replace("&amp;", "&");
        assert_eq!(addresses(&text), addresses(&html), "{name}");
        for address in addresses(&text) {
            let is_ours = address == ORIGIN || address.starts_with(&format!("{ORIGIN}/"));
            assert!(is_ours || (address == PLACE && !html.contains(&format!("href=\"{PLACE}"))), "{name}: {address}");
        }
        for link in html.split("href=\"").skip(1) {
            assert!(link.starts_with(ORIGIN), "{name}: {}", &link[..link.len().min(80)]);
        }
        assert!(!text.contains("evil.example"), "{name}: a mail program would make a link of it\n{text}");
    }
}

#[test]
fn s98_nothing_typed_is_markup_or_turns_the_direction() {
    for (name, _, _, Rendered { text, html, subject }) in all() {
        for tag in ["<script", "<b>", "<img", "<form", "<iframe"] {
            assert!(!html.contains(tag), "{name}: {tag}");
        }
        for both in [&text, &html, &subject] {
            let is_hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            assert!(!both.chars().any(is_hidden), "{name}");
            assert!(!both.contains('\r'), "{name}");
        }
    }
}

#[test]
fn r75_a_subject_is_one_line_of_a_fitting_length() {
    for (name, nature, _, Rendered { subject, .. }) in all() {
        let length = subject.chars().count();
        assert!(!subject.chars().any(char::is_control), "{name}: {subject}");
        let most = if nature == Nature::Usual { 78 } else { 150 };
        assert!((8..=most).contains(&length), "{name}: {length} characters, {subject}");
    }
}

#[test]
fn lines_of_the_text_fit_unless_a_word_does_not() {
    for (name, nature, _, Rendered { text, .. }) in all() {
        if nature == Nature::Usual {
            // Facts are a line each; what is longer there is for the mail program to break.
            let long = text.lines().find(|line| line.chars().count() > 72 && !line.starts_with("http") && !line.contains(": "));
            assert_eq!(long, None, "{name}");
        }
    }
}

#[test]
fn r26_every_mail_of_accounts_says_when_and_what_to_do() {
    for kind in mail_kinds().filter(|kind| kind.name.starts_with("accounts.")) {
        for (language, at, ways) in [
            (Language::En, "21 Nov 2026, 16:05 CET", ["If it wasn't you", "If you did not ask for it", "If you think this is wrong"]),
            (
                Language::De,
                "21. November 2026, 16:05 MEZ",
                ["Wenn Sie das nicht waren", "Wenn Sie nicht darum gebeten haben", "Wenn Sie das für falsch halten"],
            ),
        ] {
            let text = written(kind, language, Nature::Usual).1.text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(at), "{}: no {at} in {text}", kind.name);
            // A ban that is over is good news.
            assert!(kind.name == "accounts.unbanned" || ways.iter().any(|way| text.contains(way)), "{}: {text}", kind.name);
        }
    }
    let of_operators = ["accounts.invited", "accounts.banned", "accounts.unbanned", "accounts.acted_as", "accounts.reset_asked", "accounts.reset_done"];
    for kind in mail_kinds().filter(|kind| kind.name.starts_with("accounts.") && !of_operators.contains(&kind.name)) {
        for (language, device) in [(Language::En, "Firefox on Linux"), (Language::De, "Firefox unter Linux")] {
            let text = written(kind, language, Nature::Usual).1.text;
            assert!(text.contains(device) && text.contains("203.0.113.9"), "{}: {text}", kind.name);
        }
    }
}

#[test]
fn r27_a_mail_proves_an_address_or_wins_back_an_account_but_is_no_second_factor() {
    let with_code: Vec<&str> = mail_kinds().filter(|kind| written(kind, Language::En, Nature::Usual).1.text.contains("482913")).map(|kind| kind.name).collect();
    assert_eq!(with_code, ["accounts.confirm_email", "accounts.set_password", "accounts.confirm_new_email"], "a code that signs in stands in no mail");
}

#[test]
fn german_says_the_same_things_in_the_same_order() {
    for kind in mail_kinds() {
        let [en, de] = Language::ALL.map(|language| written(kind, language, Nature::Usual).0);
        let shape = |mail: &Mail| mail.blocks.iter().map(discriminant).collect::<Vec<_>>();
        assert_eq!(shape(&en), shape(&de), "{}", kind.name);
        assert!(!en.because.is_empty() && !de.because.is_empty() && !en.because.ends_with('.') && !de.because.ends_with('.'), "{}", kind.name);
        assert_eq!((en.language, de.language), (Language::En, Language::De));
    }
}

/// Words that are right in both languages, or names of things.
const SHARED: &str = "an api app apps authenticator bridge browser checkout code codes com denied erp example exceeded expired export firefox \
    forbidden in ip laptop lin limit limits lindqvist link linux live mail mails mara minute nightly passkey passkeys quota scanning secret service \
    so spam support tg token tokens tollgate was";

/// The words of all mails of a language, in small letters.
fn vocabulary(language: Language) -> BTreeSet<String> {
    let words = |kind: &Kind| {
        let Rendered { subject, text, .. } = written(kind, language, Nature::Usual).1;
        let text = format!("{subject}\n{text}");
        let spoken = text.split_whitespace().filter(|word| !word.starts_with("http")).collect::<Vec<_>>().join(" ");
        spoken.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 1).map(str::to_lowercase).collect::<Vec<_>>()
    };
    mail_kinds().flat_map(words).collect()
}

#[test]
fn no_english_is_left_in_german() {
    let shared: BTreeSet<String> = SHARED.split_whitespace().map(str::to_owned).collect();
    let both: BTreeSet<String> = vocabulary(Language::En).intersection(&vocabulary(Language::De)).cloned().collect();
    assert_eq!(both.difference(&shared).collect::<Vec<_>>(), Vec::<&String>::new(), "a word of the English mails stands in a German one");
}

/// Sources below `src` that are no tests, with their paths.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).into_iter().filter_map(Result::ok).filter(|entry| entry.path().extension().is_some_and(|x| x == "rs"));
    let all = files.map(|file| (file.path().strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/"), fs::read_to_string(file.path()).unwrap()));
    all.filter(|(path, _)| !path.starts_with("tests/")).collect()
}

#[test]
fn every_mail_is_a_letter_with_its_words_in_every_language() {
    // `accounts::server::mail::to` and `facts` begin mails in English only.
    let is_bare =
        |text: &str| text.contains("Mail::new(") || text.contains("mail::{facts, to}") || text.contains("mail::to(") || text.contains(" to(&account, ");
    let bare: Vec<String> = sources().into_iter().filter(|(path, text)| !path.starts_with("platform/mail/") && is_bare(text)).map(|(path, _)| path).collect();
    assert_eq!(bare, Vec::<String>::new(), "give it its words in `letters`");
}

#[test]
fn every_letter_stands_in_the_list_that_operators_see() {
    let sources = sources();
    let lists: String = sources.iter().filter(|(_, text)| text.contains("KINDS: &[Kind]")).map(|(_, text)| text.as_str()).collect();
    for (path, text) in &sources {
        for name in text.split("impl Letter for ").skip(1).filter_map(|rest| rest.split_whitespace().next()) {
            assert!(lists.contains(&format!("{name} {{")), "{path}: {name} has no sample");
        }
    }
    let names: Vec<&str> = mail_kinds().map(|kind| kind.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a name stands for one kind: {names:?}");
}
