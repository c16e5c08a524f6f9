//! A page as a browser reads it: its tags, and what its forms send.

use super::{HOSTILE, typed::FUNCTIONS};
use crate::support::browser::PASSWORD;

/// The beginning or the end of an element, as a browser reads it.
#[derive(Debug)]
pub struct Tag {
    /// `/form` where a form ends.
    name: String,
    attributes: Vec<(String, String)>,
    /// What stands between it and the next one; all of a script or a text area.
    text: String,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

pub fn tags(html: &str) -> Vec<Tag> {
    let (mut found, mut rest) = (Vec::new(), html);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '/')).unwrap_or(rest.len());
        let name = rest[..length].trim_end_matches('/').to_ascii_lowercase();
        if name.is_empty() {
            continue;
        }
        let (attributes, behind) = attributes(&rest[length..]);
        let is_raw = matches!(name.as_str(), "script" | "style" | "textarea" | "title");
        let end = if is_raw { behind.to_ascii_lowercase().find(&format!("</{name}")) } else { behind.find('<') };
        let (text, next) = behind.split_at(end.unwrap_or(behind.len()));
        rest = next;
        found.push(Tag { name, attributes, text: unescaped(text) });
    }
    found
}

/// The attributes that begin here, and what stands behind the tag.
fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/' || c == '=');
        let Some(first) = rest.chars().next() else { return (found, rest) };
        if first == '>' {
            return (found, &rest[1..]);
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = "";
        if let Some(behind) = rest.strip_prefix('=') {
            let behind = behind.trim_start();
            let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''));
            let inner = if quote.is_some() { &behind[1..] } else { behind };
            let end = match quote {
                Some(quote) => inner.find(quote),
                None => inner.find(|c: char| c.is_whitespace() || c == '>'),
            };
            let end = end.unwrap_or(inner.len());
            value = &inner[..end];
            rest = inner.get(end + usize::from(quote.is_some())..).unwrap_or_default();
        }
        found.push((name, unescaped(value)));
    }
}

fn unescaped(text: &str) -> String {
    let all = [("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&#x2F;", "/"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    all.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// What of the hostile text has become markup.
pub fn injected(tags: &[Tag]) -> Vec<&Tag> {
    let is_ours = |tag: &&Tag| tag.name == "script" && tag.text.trim_start().starts_with("hostile()");
    tags.iter().filter(|tag| is_ours(tag) || tag.has("onerror") || (tag.name == "img" && tag.get("src") == Some("x"))).collect()
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    /// None: of a choice without options so far.
    pub value: Option<String>,
    /// What stands before it; empty where nothing says that it is its label.
    label: String,
    is_text: bool,
    is_choice: bool,
    /// It is left empty.
    pub is_file: bool,
}

impl Field {
    /// What people read at it, and what it is called.
    pub fn said(&self) -> (String, String) {
        (self.label.clone(), self.name.clone())
    }
}

#[derive(Debug)]
pub struct Form {
    pub is_post: bool,
    /// It is sent as one with a file in it.
    pub is_multipart: bool,
    pub action: Option<String>,
    pub fields: Vec<Field>,
}

impl Form {
    /// The server function that it calls: `keys/api/create_key`.
    pub fn function(&self) -> Option<&str> {
        self.fields.iter().find(|field| field.name == "_fn")?.value.as_deref()?.strip_prefix(FUNCTIONS)
    }

    pub fn texts(&self) -> Vec<usize> {
        (0..self.fields.len()).filter(|n| self.fields[*n].is_text).collect()
    }

    /// The same for the form of another key or account: where it goes, and what it sends.
    pub fn kind(&self) -> String {
        let action = self.action.as_deref().unwrap_or_default();
        let place: Vec<&str> = action.split('/').filter(|part| !part.contains('_')).collect();
        let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        format!("{} {} {}", self.function().unwrap_or_default(), place.join("/"), names.join(" "))
    }
}

/// The forms of a page.
pub fn forms(tags: &[Tag]) -> Vec<Form> {
    let (mut found, mut open, mut label) = (Vec::new(), None::<Form>, ("", ""));
    for tag in tags {
        if tag.name == "form" {
            let is_post = tag.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
            let is_multipart = tag.get("enctype") == Some("multipart/form-data");
            open = Some(Form { is_post, is_multipart, action: tag.get("action").map(str::to_owned), fields: Vec::new() });
            continue;
        }
        if tag.name == "/form" {
            found.extend(open.take());
            continue;
        }
        if tag.name == "label" {
            label = (tag.get("for").unwrap_or_default(), tag.text.trim());
        }
        let Some(form) = open.as_mut() else { continue };
        let label = if tag.get("id").is_some_and(|id| id == label.0) { label.1 } else { "" };
        match tag.name.as_str() {
            "input" => form.fields.extend(input(tag, label)),
            "textarea" => form.fields.extend(named(tag).map(|field| Field {
                value: Some(tag.text.clone()),
                is_text: !tag.has("readonly"),
                label: label.to_owned(),
                ..field
            })),
            "select" => form.fields.extend(named(tag).map(|field| Field { is_choice: true, ..field })),
            "option" => {
                let value = tag.get("value").map_or_else(|| tag.text.trim().to_owned(), str::to_owned);
                if let Some(choice) = form.fields.last_mut().filter(|field| field.is_choice && (field.value.is_none() || tag.has("selected"))) {
                    choice.value = Some(value);
                }
            }
            _ => {}
        }
    }
    found
}

/// A field that is sent.
fn named(tag: &Tag) -> Option<Field> {
    let name = tag.get("name").filter(|name| !name.is_empty() && !tag.has("disabled"))?;
    Some(Field { name: name.to_owned(), value: None, label: String::new(), is_text: false, is_choice: false, is_file: false })
}

fn input(tag: &Tag, label: &str) -> Option<Field> {
    let kind = tag.get("type").unwrap_or("text");
    let value = tag.get("value").unwrap_or_default();
    let field = named(tag)?;
    match kind {
        "checkbox" | "radio" => tag.has("checked").then(|| Field { value: Some(if value.is_empty() { "on" } else { value }.to_owned()), ..field }),
        "submit" | "button" => None,
        "file" => Some(Field { is_file: true, ..field }),
        // A browser lets nobody type a name into a date or a number; whoever sends it has no browser.
        "text" | "search" | "email" | "url" | "tel" | "password" | "date" | "datetime-local" | "time" | "number" => {
            let is_needed = value.is_empty() && tag.has("required");
            let value = if is_needed { plausible(tag, kind) } else { value };
            Some(Field { value: Some(value.to_owned()), is_text: !tag.has("readonly"), label: label.to_owned(), ..field })
        }
        _ => Some(Field { value: Some(value.to_owned()), ..field }),
    }
}

/// What somebody would type who means well.
fn plausible(tag: &Tag, kind: &str) -> &'static str {
    let name = tag.get("name").unwrap_or_default();
    match kind {
        "email" => "plain@example.com",
        "password" => PASSWORD,
        "url" => "https://example.com/plain",
        "date" => "2027-01-31",
        "datetime-local" => "2027-01-31T12:00",
        _ if name.contains("email") => "plain@example.com",
        _ if name.contains("target") => "203.0.113.9",
        _ if kind == "number" || tag.get("inputmode") == Some("numeric") => "5",
        _ => "plain",
    }
}

#[test]
fn the_reader_sees_markup_where_a_browser_would() {
    let page = format!("<!DOCTYPE html><p title=\"{}\">{}</p><!-- <img onerror=x> -->", HOSTILE.replace('"', "&quot;"), HOSTILE.replace('<', "&lt;"));
    assert!(injected(&tags(&page)).is_empty(), "an attribute and a text are none");
    assert_eq!(injected(&tags(&format!("<p title=\"{HOSTILE}\"></p>"))).len(), 2, "a script and a picture, out of an attribute");
    assert_eq!(injected(&tags(&format!("<textarea>{HOSTILE}</textarea>"))).len(), 0, "a browser reads no tags in there");
}

#[test]
fn the_reader_sees_what_a_form_sends() {
    let form = "<form method=\"post\" enctype=\"multipart/form-data\"><input type=\"hidden\" name=\"_fn\" value=\"/fn/tollgate/keys/api/save\"/><label for=\"n\">Name</label><input id=\"n\" name=\"name\" required><select name=\"a\"><option value=\"1\">b<option value=\"2\" selected>c</select><textarea name=\"t\">d</textarea><input type=\"file\" name=\"f\"></form>";
    let found = forms(&tags(form));
    let values: Vec<_> = found[0].fields.iter().map(|field| (field.name.as_str(), field.value.as_deref().unwrap_or_default())).collect();
    assert_eq!(values, [("_fn", "/fn/tollgate/keys/api/save"), ("name", "plain"), ("a", "2"), ("t", "d"), ("f", "")]);
    assert_eq!((found[0].texts(), found[0].function()), (vec![1, 3], Some("keys/api/save")));
    assert!(found[0].is_multipart && found[0].fields[4].is_file);
    let said: Vec<_> = found[0].fields[1..=3].iter().map(Field::said).collect();
    assert_eq!(said, [("Name", "name"), ("", "a"), ("", "t")].map(|(label, name)| (label.to_owned(), name.to_owned())));
}
