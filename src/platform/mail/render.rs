//! A mail's words as plain text (72 columns, links spelled out) and as HTML, from the same blocks in the same order.
//!
//! What people typed (names, devices) is cleaned of line breaks, control and direction characters, and escaped in HTML (S98); a
//! name that a mail program would turn into a link is not repeated at all. The HTML has no tables, images or remote parts, and
//! follows the reader's light or dark.

use super::{Block, Mail};
use crate::values::{Language, is_unseen};
use std::fmt::Write;

/// The product as mails name it.
pub const PRODUCT: &str = "Tollgate";
/// RFC 5322 §2.1.1 asks for lines of 78 at most; quoting needs some room.
const COLUMNS: usize = 72;
/// Longer subjects are cut off in every list of mails.
const SUBJECT: usize = 150;

/// Both versions of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// `home` is the product's public address.
pub fn render(mail: &Mail, home: &str) -> Rendered {
    Rendered { subject: subject(mail), text: text(mail, home), html: html(mail, home) }
}

fn subject(mail: &Mail) -> String {
    let subject = clean(&mail.subject);
    match subject.char_indices().nth(SUBJECT - 1) {
        Some((end, _)) if subject.chars().count() > SUBJECT => format!("{}…", subject[..end].trim_end()),
        _ => subject,
    }
}

fn text(mail: &Mail, home: &str) -> String {
    let frame = frame(mail.language);
    let mut out = vec![greeting(mail, &frame)];
    out.extend(mail.blocks.iter().map(|block| match block {
        Block::Text(words) => wrap(&clean(words)),
        Block::Link { label, url } => format!("{}:\n{}", wrap(&clean(label)), clean(url)),
        Block::Code(code) => format!("    {}", clean(code)),
        Block::Facts(facts) => {
            let width = facts.iter().map(|(name, _)| clean(name).chars().count()).max().unwrap_or(0) + 1;
            facts.iter().map(|(name, value)| format!("{:width$} {}", format!("{}:", clean(name)), clean(value))).collect::<Vec<_>>().join("\n")
        }
    }));
    let foot = [because(mail, &frame).map(|words| wrap(&words)), Some(format!("{PRODUCT}, {home}"))];
    out.push(format!("-- \n{}", foot.into_iter().flatten().collect::<Vec<_>>().join("\n")));
    out.join("\n\n") + "\n"
}

const STYLE: &str = "\
@media (prefers-color-scheme: dark) {
  body { background: #121417 !important; color: #e7e9ec !important; }
  main { background: #1a1d21 !important; border-color: #30353b !important; }
  .quiet { color: #a1a8b0 !important; }
  .button { background: #e7e9ec !important; color: #121417 !important; }
  .code { background: #262a30 !important; }
  a { color: #9db8ff; }
}";

fn html(mail: &Mail, home: &str) -> String {
    let frame = frame(mail.language);
    let mut body = format!("<p style=\"margin:0 0 16px\">{}</p>\n", escape(&greeting(mail, &frame)));
    for block in &mail.blocks {
        body.push_str(&html_block(block, &frame));
    }
    let foot = because(mail, &frame).map(|words| escape(&words) + "<br>").unwrap_or_default();
    let (subject, home, lang) = (escape(&subject(mail)), escape(home), mail.language.as_str());
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{subject}</title>\n<style>\n{STYLE}\n</style>\n</head>\n\
         <body style=\"margin:0;padding:24px 12px;background:#f4f5f6;color:#16181b;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif\">\n\
         <main style=\"max-width:560px;margin:0 auto;padding:28px;background:#ffffff;border:1px solid #dde0e4;border-radius:12px\">\n{body}</main>\n\
         <p class=\"quiet\" style=\"max-width:560px;margin:16px auto 0;padding:0 28px;color:#5c636b;font-size:13px\">{foot}<a class=\"quiet\" href=\"{home}\" style=\"color:#5c636b\">{PRODUCT}</a></p>\n\
         </body>\n</html>\n"
    )
}

fn html_block(block: &Block, frame: &Frame) -> String {
    match block {
        Block::Text(words) => format!("<p style=\"margin:0 0 16px\">{}</p>\n", escape(&clean(words))),
        Block::Link { label, url } if is_web_address(url) => {
            let (label, url, or_open) = (escape(&clean(label)), escape(&clean(url)), frame.or_open);
            format!(
                "<p style=\"margin:24px 0 8px\"><a class=\"button\" href=\"{url}\" style=\"display:inline-block;padding:10px 18px;border-radius:8px;background:#16181b;color:#ffffff;font-weight:600;text-decoration:none\">{label}</a></p>\n\
                 <p class=\"quiet\" style=\"margin:0 0 24px;color:#5c636b;font-size:13px;overflow-wrap:anywhere\">{or_open}: {url}</p>\n"
            )
        }
        Block::Link { label, url } => format!("<p style=\"margin:0 0 16px\">{}: {}</p>\n", escape(&clean(label)), escape(&clean(url))),
        Block::Code(code) => format!(
            "<p style=\"margin:0 0 16px\"><span class=\"code\" style=\"display:inline-block;padding:10px 16px;border-radius:8px;background:#eef0f2;font:600 24px/1.2 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.15em\">{}</span></p>\n",
            escape(&clean(code))
        ),
        Block::Facts(facts) => {
            let lines = facts.iter().fold(String::new(), |mut lines, (name, value)| {
                let _ = writeln!(
                    lines,
                    "<dt class=\"quiet\" style=\"color:#5c636b;font-size:13px\">{}</dt><dd style=\"margin:0 0 8px;overflow-wrap:anywhere\">{}</dd>",
                    escape(&clean(name)),
                    escape(&clean(value))
                );
                lines
            });
            format!("<dl style=\"margin:0 0 16px\">\n{lines}</dl>\n")
        }
    }
}

/// The words around every mail.
struct Frame {
    hello: &'static str,
    or_open: &'static str,
    because: &'static str,
}

const fn frame(language: Language) -> Frame {
    match language {
        Language::En => Frame { hello: "Hello", or_open: "Or open this address", because: "You get this mail because" },
        Language::De => Frame { hello: "Guten Tag", or_open: "Oder öffnen Sie diese Adresse", because: "Sie erhalten diese Mail, weil" },
    }
}

/// By name, unless the name would become a link in a mail program: then it carries somebody else's message.
fn greeting(mail: &Mail, frame: &Frame) -> String {
    let name = clean(&mail.name);
    if name.is_empty() || looks_like_an_address(&name) { format!("{},", frame.hello) } else { format!("{} {name},", frame.hello) }
}

/// A name that somebody typed, for the middle of a mail: one that a mail program would turn into a link is written so that none does,
/// `https[:]//evil[.]example`.
pub fn harmless(name: &str) -> String {
    if looks_like_an_address(&clean(name)) { name.replace("://", "[:]//").replace('.', "[.]").replace('@', "[@]") } else { name.to_owned() }
}

fn looks_like_an_address(name: &str) -> bool {
    let has_domain = name
        .split(' ')
        .any(|word| word.split_once('.').is_some_and(|(before, after)| !before.is_empty() && after.chars().take_while(|c| c.is_alphanumeric()).count() >= 2));
    has_domain || name.contains(['/', '@', '\\'])
}

fn because(mail: &Mail, frame: &Frame) -> Option<String> {
    let why = clean(&mail.because);
    (!why.is_empty()).then(|| format!("{} {why}.", frame.because))
}

fn is_web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// One line without control characters and without those that turn the direction of writing or are not seen.
fn clean(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_unseen(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Breaks at spaces; a word longer than a line (an address) stays whole.
fn wrap(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> Mail {
        Mail::new("mara@example.com".parse().expect("an address"), "Confirm your address")
    }

    fn rendered(mail: &Mail) -> Rendered {
        render(mail, "https://gate.example.com")
    }

    #[test]
    fn both_versions_say_the_same_in_the_same_order() {
        let long = "word ".repeat(40);
        let mail = mail()
            .name("Mara Lindqvist")
            .text(format!("Confirm that this is your address. {long}"))
            .link("Confirm address", "https://gate.example.com/verify-email?token=abc&x=1")
            .text("Or type this code on the page that is open:")
            .code("482913")
            .facts([("Time", "20 November 2026, 12:00 UTC"), ("Address", "203.0.113.9")])
            .because("somebody signed up with this address");
        let Rendered { text, html, subject } = rendered(&mail);
        insta::assert_snapshot!("text", text);
        insta::assert_snapshot!("html", html);
        assert_eq!(subject, "Confirm your address");
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
    }

    #[test]
    fn s98_a_hostile_name_stays_text() {
        let hostile = "<script>alert(1)</script>\"'&\r\nBcc: all@example.com \u{202e}moc";
        let Rendered { text, html, .. } =
            rendered(&mail().name(hostile).facts([("Device", hostile)]).text(hostile).link(hostile, "https://gate.example.com/\"><script>"));
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp; Bcc"), "{html}");
        assert!(!text.contains("\nBcc") && !text.contains('\u{202e}') && !text.contains('\r'), "{text}");
    }

    #[test]
    fn s98_a_name_that_would_become_a_link_is_not_repeated() {
        for name in ["Win at evil.example.com", "www.evil.com", "see https://evil.example", "mail me@evil.example"] {
            assert!(rendered(&mail().name(name)).text.starts_with("Hello,\n"), "{name}");
        }
        for name in ["J. R. Smith", "J.R. Smith", "Mara Lindqvist-O'Hara", "王小明", "Dr. No"] {
            assert!(rendered(&mail().name(name)).text.starts_with(&format!("Hello {name},\n")), "{name}");
        }
    }

    #[test]
    fn s98_a_name_in_the_middle_of_a_mail_is_no_link_either() {
        assert_eq!(harmless("https://evil.example/x"), "https[:]//evil[.]example/x");
        assert_eq!(harmless("me@evil.example"), "me[@]evil[.]example");
        for name in ["checkout service", "J. R. Smith", "orders/eu"] {
            assert_eq!(harmless(name), name);
        }
    }

    #[test]
    fn a_long_subject_is_cut_between_characters() {
        let of = |subject: &str| render(&Mail::new("mara@example.com".parse().expect("an address"), subject), "https://gate.example.com").subject;
        assert_eq!(of(&"ü".repeat(150)), "ü".repeat(150));
        assert_eq!(of(&"ü".repeat(151)), format!("{}…", "ü".repeat(149)));
    }

    #[test]
    fn the_frame_is_in_the_language_of_the_mail() {
        let Rendered { text, html, .. } =
            rendered(&mail().language(Language::De).name("Mara").link("Öffnen", "https://gate.example.com/x").because("Sie fragten"));
        assert!(text.starts_with("Guten Tag Mara,\n") && text.contains("Sie erhalten diese Mail, weil Sie fragten."), "{text}");
        assert!(html.contains("<html lang=\"de\">") && html.contains("Oder öffnen Sie diese Adresse: https://"), "{html}");
    }

    #[test]
    fn a_link_to_anything_but_a_web_address_is_no_link() {
        let html = rendered(&mail().link("Click", "javascript:alert(1)")).html;
        assert!(!html.contains("href=\"javascript"), "{html}");
    }
}
