//! Check for several, radio for one, switch for what happens at once without Save. An unchecked box is not sent at all:
//! the argument of the server function needs `#[serde(default)]` (`#[server(default)]`).

use super::{field::explanation, form::FieldState};
use leptos::prelude::*;

/// One possibility of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub help: Option<String>,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), help: None }
    }

    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A single check box. Several with one name make a list on the server.
#[component]
pub fn CheckField(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(default = "true".to_owned(), into)] value: String,
    #[prop(optional)] checked: bool,
    #[prop(optional, into)] help: Option<String>,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional)] disabled: bool,
    /// Drawn as a switch: for what happens at once.
    #[prop(optional)]
    switch: bool,
) -> impl IntoView {
    let id = id.or_else(|| (value != "true").then(|| format!("{name}-{value}")));
    let field = FieldState::of(&name, &label, id).beside_box(&value, checked);
    let chosen = field.is_chosen(&value, checked);
    let described_by = field.described_by(false);
    view! {
        <div>
            <label class="choice">
                <input
                    type="checkbox"
                    class=if switch { "switch" } else { "check" }
                    role=switch.then_some("switch")
                    id=field.id.clone()
                    name=name
                    value=value
                    checked=chosen
                    disabled=disabled
                    aria-invalid=field.invalid()
                    aria-describedby=described_by
                />
                <span>{label}{help.map(|help| view! { <span class="help">{help}</span> })}</span>
            </label>
            {explanation(&field, None)}
        </div>
    }
    .into_any()
}

/// Several check boxes under one label and one name.
#[component]
pub fn CheckGroup(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    choices: Vec<Choice>,
    #[prop(optional)] values: Vec<String>,
    #[prop(optional, into)] help: Option<String>,
) -> impl IntoView {
    group("checkbox", label, name, choices, values, help, false)
}

/// One of a few, all visible.
#[component]
pub fn RadioGroup(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    choices: Vec<Choice>,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional, into)] help: Option<String>,
    /// The focus is on what is chosen, as where Tab leads into the group, or on the first.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    group("radio", label, name, choices, value.into_iter().collect(), help, autofocus)
}

fn group(kind: &'static str, label: String, name: String, choices: Vec<Choice>, values: Vec<String>, help: Option<String>, autofocus: bool) -> AnyView {
    let class = if kind == "radio" { "radio" } else { "check" };
    let all: Vec<(&str, &str)> = choices.iter().map(|choice| (choice.value.as_str(), choice.label.as_str())).collect();
    let field = FieldState::of(&name, &label, None).beside_choices(&all, &values);
    let described_by = field.described_by(help.is_some());
    let invalid = field.invalid();
    let focused = all.iter().position(|(value, _)| field.is_chosen(value, values.iter().any(|chosen| chosen == value))).unwrap_or(0);
    let items = choices
        .into_iter()
        .enumerate()
        .map(|(i, choice)| {
            // The summary links to the group's id: its first control takes the focus.
            let id = if i == 0 { field.id.clone() } else { format!("{}-{i}", field.id) };
            let chosen = field.is_chosen(&choice.value, values.contains(&choice.value));
            let has_focus = autofocus && i == focused;
            view! {
                <label class="choice">
                    <input type=kind class=class id=id name=name.clone() value=choice.value checked=chosen autofocus=has_focus aria-invalid=invalid aria-describedby=described_by.clone()/>
                    <span>{choice.label}{choice.help.map(|help| view! { <span class="help">{help}</span> })}</span>
                </label>
            }
        })
        .collect_view();
    view! { <fieldset class="choices"><legend>{label}</legend>{items}{explanation(&field, help)}</fieldset> }.into_any()
}
