//! The form bridge, view half. A form posts to its page's own URL; the hidden `_fn` names the server function and the other
//! fields are its arguments. When the function refuses, the server renders the same page again with a [`FormOutcome`] in
//! context: the form it belongs to (same `_fn`, same `_form`) shows the summary, and its fields find their typed value and
//! their error. Nothing here needs JavaScript; the browser's own validation is off, so that every error looks and speaks alike.

use super::{Button, Gate, GateGlyph, Look, Note, Size};
use crate::{
    error::AppError,
    values::{Area, Version},
};
use leptos::{context::Provider, prelude::*};
use std::sync::{Arc, Mutex};

/// How the form that was just posted ended, in the context of the page that is rendered again (`boot::forms`); or a form that waited
/// while its sender proved who it is, as it was left.
#[derive(Debug, Clone, PartialEq)]
pub struct FormOutcome {
    /// The path of the server function, as in the hidden field `_fn`.
    pub action: String,
    /// The hidden field `_form`, where several forms of one action stand on a page.
    pub form: Option<String>,
    /// None: the form waited, nothing is wrong with it.
    pub error: Option<AppError>,
    /// What was typed, without passwords.
    pub values: Vec<(String, String)>,
}

/// For which account a page was made, in its context: its forms say so, and are not sent as another one (`boot::forms`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFor(pub String);

impl MadeFor {
    pub const FIELD: &'static str = "_for";
}

/// The forms that the configuration of the server locks, by the addresses of their server functions, in the context of every page: they say so in
/// place of their fields, and those of one button are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedForms(pub Vec<(&'static str, Area)>);

impl LockedForms {
    fn area_of(&self, action: &str) -> Option<Area> {
        self.0.iter().find(|(path, _)| *path == action).map(|(_, area)| *area)
    }
}

impl FormOutcome {
    fn is_of(&self, action: &str, form: Option<&str>) -> bool {
        self.action == action && self.form.as_deref() == form
    }

    /// Somebody else changed what the form shows before it was sent.
    fn is_late(&self) -> bool {
        matches!(self.error, Some(AppError::Changed { .. }))
    }

    /// The state that the form stands for: the one that it showed when it was opened, until its sender was told of another one. An empty one
    /// would overwrite any.
    fn version(&self, now: Version) -> String {
        let sent = self.values.iter().find(|(name, _)| name == Version::FIELD).map(|(_, seen)| seen.clone());
        sent.filter(|seen| !seen.is_empty() && !self.is_late()).unwrap_or_else(|| now.to_string())
    }
}

/// What the fields inside a form know of it.
#[derive(Clone)]
pub(super) struct FormState {
    prefix: String,
    outcome: Option<Arc<FormOutcome>>,
    fields: Arc<Mutex<Vec<KnownField>>>,
}

#[derive(Clone)]
struct KnownField {
    name: String,
    label: String,
    id: String,
}

/// One field's part of the outcome.
pub(super) struct FieldState {
    pub id: String,
    /// Every value sent under this name; `None` when this form was not just sent.
    pub sent: Option<Vec<String>>,
    pub error: Option<String>,
    /// What is stored by now, where the form is late and would write something else.
    pub stored: Option<String>,
    is_late: bool,
}

impl FieldState {
    /// Registers a field with the form around it, if there is one.
    pub fn of(name: &str, label: &str, id: Option<String>) -> Self {
        let Some(form) = use_context::<FormState>() else {
            return Self { id: id.unwrap_or_else(|| name.to_owned()), sent: None, error: None, stored: None, is_late: false };
        };
        let id = id.unwrap_or_else(|| format!("{}{name}", form.prefix));
        if let Ok(mut fields) = form.fields.lock() {
            fields.push(KnownField { name: name.to_owned(), label: label.to_owned(), id: id.clone() });
        }
        let outcome = form.outcome.as_deref();
        Self {
            id,
            // With nothing to show again (`boot::forms`), the form stands as it is: else every box would lose its tick.
            sent: outcome.filter(|o| !o.values.is_empty()).map(|o| o.values.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect()),
            error: outcome.and_then(|o| o.error.as_ref()).and_then(|e| e.field(name)).map(str::to_owned),
            stored: None,
            is_late: outcome.is_some_and(FormOutcome::is_late),
        }
    }

    /// Says what is stored beside what was typed, where a late form has another text; `words` is how people call a value.
    pub fn beside(mut self, current: Option<&str>, words: impl Fn(&str) -> String) -> Self {
        let current = current.unwrap_or_default().trim();
        // Forms send their lines with two characters at the end.
        let is_other = |typed: &String| !typed.trim().lines().eq(current.lines());
        if self.is_late && self.sent.as_ref().and_then(|sent| sent.first()).is_some_and(is_other) {
            self.stored = Some(words(current)).filter(|words| !words.is_empty()).or_else(|| Some(NOTHING.to_owned()));
        }
        self
    }

    /// The same of one box.
    pub fn beside_box(mut self, value: &str, checked: bool) -> Self {
        if self.is_late && self.sent.is_some() && self.is_chosen(value, checked) != checked {
            self.stored = Some(if checked { "ticked" } else { "not ticked" }.to_owned());
        }
        self
    }

    /// The same of choices: `taken` of `all`, each with its label.
    pub fn beside_choices(mut self, all: &[(&str, &str)], taken: &[String]) -> Self {
        let is_taken = |value: &str| taken.iter().any(|one| one == value);
        let is_other = |sent: &Vec<String>| all.iter().any(|(value, _)| sent.iter().any(|one| one == value) != is_taken(value));
        if self.is_late && self.sent.as_ref().is_some_and(is_other) {
            let labels: Vec<&str> = all.iter().filter(|(value, _)| is_taken(value)).map(|(_, label)| *label).collect();
            self.stored = Some(if labels.is_empty() { NOTHING.to_owned() } else { labels.join(", ") });
        }
        self
    }

    /// The value to show: as typed, else as it is.
    pub fn value(&self, current: Option<String>) -> Option<String> {
        self.sent.as_ref().and_then(|sent| sent.first().cloned()).or(current)
    }

    /// Whether the choice `value` is taken: as sent, else as it is.
    pub fn is_chosen(&self, value: &str, current: bool) -> bool {
        self.sent.as_ref().map_or(current, |sent| sent.iter().any(|v| v == value))
    }

    pub fn invalid(&self) -> Option<&'static str> {
        self.error.is_some().then_some("true")
    }

    /// The ids of the texts that explain the field: the error takes the place of the help, and what is stored comes after.
    pub fn described_by(&self, has_help: bool) -> Option<String> {
        let said = match (&self.error, has_help) {
            (Some(_), _) => Some("error"),
            (None, true) => Some("help"),
            (None, false) => None,
        };
        let ids: Vec<String> = said.into_iter().chain(self.stored.as_ref().map(|_| "stored")).map(|what| format!("{}-{what}", self.id)).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// What is said to be stored where nothing is.
const NOTHING: &str = "nothing";

/// A form that calls a server function: `<Form action=CreateKey::PATH>`.
#[component]
pub fn Form(
    /// The path of the server function (`<CreateKey as ServerFn>::PATH`).
    #[prop(into)]
    action: String,
    /// Tells several forms of one action on a page apart; also the start of the ids of their fields.
    #[prop(optional, into)]
    id: Option<String>,
    #[prop(optional, into)] class: Option<String>,
    /// The accessible name, where the form is a landmark of the page.
    #[prop(optional, into)]
    label: Option<String>,
    /// Fields that nobody sees: what the form is about.
    #[prop(optional)]
    hidden: Vec<(&'static str, String)>,
    /// Leaves the summary to the page, which places an [`ErrorSummary`] itself (forms inside a row or a menu).
    #[prop(optional)]
    quiet: bool,
    /// There is a [`FileField`](super::FileField) in it; its page needs a route that reads files.
    #[prop(optional)]
    files: bool,
    /// Which state of a thing its fields show: the operation refuses to overwrite another one (`AppError::unless_seen`), once.
    #[prop(optional)]
    version: Option<Version>,
    children: Children,
) -> impl IntoView {
    if let Some(area) = use_context::<LockedForms>().and_then(|locked| locked.area_of(&action)) {
        return if quiet { ().into_any() } else { view! { <div class=class><Note>{area.locked()}</Note></div> }.into_any() };
    }
    let outcome = use_context::<FormOutcome>().filter(|o| o.is_of(&action, id.as_deref())).map(Arc::new);
    let state = FormState { prefix: id.as_ref().map(|id| format!("{id}-")).unwrap_or_default(), outcome: outcome.clone(), fields: Arc::default() };
    let known = state.fields.clone();
    // The fields come first, so that the summary above them can name each by its label.
    let fields = view! { <Provider value=state>{children()}</Provider> }.into_any();
    let error = outcome.as_ref().filter(|_| !quiet).and_then(|o| o.error.as_ref());
    let summary = error.map(|error| summary(error, &known.lock().map(|k| k.clone()).unwrap_or_default()));
    let form = id.clone().map(|id| view! { <input type="hidden" name="_form" value=id/> });
    let version = version.map(|now| {
        let version = outcome.as_deref().map_or_else(|| now.to_string(), |outcome| outcome.version(now.clone()));
        view! { <input type="hidden" name=Version::FIELD value=version/> }
    });
    let made_for = use_context::<MadeFor>().map(|MadeFor(account)| view! { <input type="hidden" name=MadeFor::FIELD value=account/> });
    view! {
        <form method="post" enctype=files.then_some("multipart/form-data") class=class aria-label=label id=id novalidate=true>
            <input type="hidden" name="_fn" value=action/>
            {made_for}
            {version}
            {form}
            {hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
            {summary}
            {fields}
        </form>
    }
    .into_any()
}

/// The fields of a form that asks by its address (`method="get"`): each finds what was asked for, and what is wrong with it.
pub fn asked_fields(error: AppError, values: Vec<(String, String)>, fields: impl FnOnce() -> AnyView + Send + 'static) -> AnyView {
    let outcome = FormOutcome { action: String::new(), form: None, error: Some(error), values };
    let state = FormState { prefix: String::new(), outcome: Some(Arc::new(outcome)), fields: Arc::default() };
    view! { <Provider value=state>{fields()}</Provider> }.into_any()
}

/// A quiet form of one button: `words` on it, `label` for screen readers.
#[component]
pub fn ActForm(
    #[prop(into)] action: String,
    #[prop(into)] words: String,
    #[prop(optional)] hidden: Vec<(&'static str, String)>,
    #[prop(optional)] look: Look,
    #[prop(optional)] size: Size,
    #[prop(optional, into)] label: Option<String>,
) -> impl IntoView {
    view! { <Form action quiet=true hidden><Button look size nostrip:label=label>{words}</Button></Form> }
}

/// The summary of the form of this action, for forms that are `quiet`: takes the focus, says what to change.
#[component]
pub fn ErrorSummary(#[prop(into)] action: String) -> impl IntoView {
    use_context::<FormOutcome>().filter(|o| o.action == action).and_then(|o| o.error).map(|error| summary(&error, &[]))
}

/// Says what is wrong with the form as a whole, then links to each wrong field.
fn summary(error: &AppError, known: &[KnownField]) -> AnyView {
    let (links, sayings) = parts(error, known);
    let lead = match links.len() {
        0 => None,
        1 => Some("One field needs a change: ".to_owned()),
        n => Some(format!("{n} fields need a change: ")),
    };
    let last = links.len().saturating_sub(1);
    let links = links
        .into_iter()
        .enumerate()
        .map(|(i, field)| view! { <a href=format!("#{}", field.id)>{field.label}</a>{if i < last { ", " } else { "." }} })
        .collect_view();
    view! {
        <div class="note note-refused error-summary" role="alert" tabindex="-1">
            <GateGlyph position=Gate::Refused/>
            <div>
                {sayings.into_iter().map(|saying| view! { <p>{saying}</p> }).collect_view()}
                {lead.map(|lead| view! { <p>{lead}{links}</p> })}
            </div>
        </div>
    }
    .into_any()
}

/// Splits an error into fields that can be linked to and sentences about the rest.
fn parts(error: &AppError, known: &[KnownField]) -> (Vec<KnownField>, Vec<String>) {
    let AppError::Invalid { fields } = error else { return (vec![], vec![error.to_string()]) };
    let (mut links, mut sayings) = (vec![], vec![]);
    for wrong in fields {
        match known.iter().find(|k| wrong.is_of(&k.name)) {
            Some(field) if links.iter().any(|link: &KnownField| link.id == field.id) => {}
            Some(field) => links.push(field.clone()),
            None => sayings.push(wrong.message.clone()),
        }
    }
    (links, sayings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FieldError;

    #[test]
    fn an_outcome_belongs_to_one_form_of_its_action() {
        let sent = FormOutcome { action: "/fn/keys/rotate".into(), form: Some("row-2".into()), error: Some(AppError::NotFound), values: vec![] };
        assert!(sent.is_of("/fn/keys/rotate", Some("row-2")));
        assert!(!sent.is_of("/fn/keys/rotate", Some("row-1")));
        assert!(!sent.is_of("/fn/keys/rotate", None));
        assert!(!sent.is_of("/fn/keys/revoke", Some("row-2")));
    }

    #[test]
    fn a_form_stands_for_what_it_showed_until_its_sender_was_told() {
        let refused = |error| FormOutcome { action: String::new(), form: None, error, values: vec![("version".into(), "old".into())] };
        let now = Version::of(&"new");
        let late = AppError::Changed { what: "This key".into() };
        for (error, version) in [(None, "old"), (Some(AppError::NotFound), "old"), (Some(late), now.as_str())] {
            assert_eq!(refused(error).version(now.clone()), version);
        }
    }

    #[test]
    fn a_late_form_says_what_is_stored_where_that_differs() {
        let field = |sent: &[&str], is_late| FieldState {
            id: "tags".into(),
            sent: Some(sent.iter().map(ToString::to_string).collect()),
            error: None,
            stored: None,
            is_late,
        };
        let stored = |typed, is_late| field(&[typed], is_late).beside(Some("a\nb"), str::to_owned).stored;
        assert_eq!([stored("a", true).as_deref(), stored("a\r\nb\r\n", true).as_deref(), stored("a", false).as_deref()], [Some("a\nb"), None, None]);
        assert_eq!(field(&["x"], true).beside(None, str::to_owned).stored.as_deref(), Some("nothing"));
        let all = [("r", "read"), ("w", "write")];
        let ticked = |sent: &[&str]| field(sent, true).beside_choices(&all, &["w".to_owned()]).stored;
        assert_eq!([ticked(&["w"]).as_deref(), ticked(&[]).as_deref(), ticked(&["r", "w"]).as_deref()], [None, Some("write"), Some("write")]);
        let said = field(&["x"], true).beside(None, str::to_owned);
        assert_eq!((said.described_by(true).as_deref(), said.described_by(false).as_deref()), (Some("tags-help tags-stored"), Some("tags-stored")));
    }

    #[test]
    fn a_wrong_field_that_is_not_on_the_form_is_said_in_words() {
        let known = [KnownField { name: "email".into(), label: "Email".into(), id: "email".into() }];
        let error = AppError::Invalid {
            fields: [("email", "Enter an email."), ("email.0", "Nobody."), ("email.1", "Nobody."), ("", "Too late."), ("gone", "Unknown.")]
                .map(|(field, message)| FieldError { field: field.into(), message: message.into() })
                .to_vec(),
        };
        let (links, sayings) = parts(&error, &known);
        assert_eq!(links.len(), 1);
        assert_eq!(sayings, ["Too late.", "Unknown."]);
    }
}
