//! The form bridge, view half. A form posts to its page's own URL; the hidden `_fn` names the server function and the other
//! fields are its arguments. When the function refuses, the server renders the same page again with a [`FormOutcome`] in
//! context: the form it belongs to (same `_fn`, same `_form`) shows the summary, and its fields find their typed value and
//! their error. Nothing here needs JavaScript; the browser's own validation is off, so that every error looks and speaks alike.

use super::{Button, Gate, GateGlyph, Look, Note, Size};
use crate::{error::AppError, values::Area};
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
}

impl FieldState {
    /// Registers a field with the form around it, if there is one.
    pub fn of(name: &str, label: &str, id: Option<String>) -> Self {
        let Some(form) = use_context::<FormState>() else {
            return Self { id: id.unwrap_or_else(|| name.to_owned()), sent: None, error: None };
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
        }
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

    /// The ids of the texts that explain the field: the error takes the place of the help.
    pub fn described_by(&self, has_help: bool) -> Option<String> {
        match (&self.error, has_help) {
            (Some(_), _) => Some(format!("{}-error", self.id)),
            (None, true) => Some(format!("{}-help", self.id)),
            (None, false) => None,
        }
    }
}

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
    let made_for = use_context::<MadeFor>().map(|MadeFor(account)| view! { <input type="hidden" name=MadeFor::FIELD value=account/> });
    view! {
        <form method="post" enctype=files.then_some("multipart/form-data") class=class aria-label=label id=id novalidate=true>
            <input type="hidden" name="_fn" value=action/>
            {made_for}
            {form}
            {hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
            {summary}
            {fields}
        </form>
    }
    .into_any()
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
        match known.iter().find(|k| k.name == wrong.field) {
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
    fn a_wrong_field_that_is_not_on_the_form_is_said_in_words() {
        let known = [KnownField { name: "email".into(), label: "Email".into(), id: "email".into() }];
        let error = AppError::Invalid {
            fields: [("email", "Enter an email."), ("", "Too late."), ("gone", "Unknown.")]
                .map(|(field, message)| FieldError { field: field.into(), message: message.into() })
                .to_vec(),
        };
        let (links, sayings) = parts(&error, &known);
        assert_eq!(links.len(), 1);
        assert_eq!(sayings, ["Too late.", "Unknown."]);
    }
}
