//! Fields with a label above and a help below; the error takes the place of the help. Inside a [`Form`](super::Form) that
//! was refused they show what was typed (never passwords) and what is wrong with it.

use super::{Gate, GateGlyph, Icon, IconView, form::FieldState};
use leptos::prelude::*;

/// One line of text.
#[component]
pub fn TextField(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    /// `text`, `email`, `search`, `url`, `date`, `datetime-local`, `number` …
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional, into)] help: Option<String>,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional, into)] autocomplete: Option<String>,
    #[prop(optional, into)] inputmode: Option<String>,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional)] maxlength: Option<u32>,
    #[prop(optional)] required: bool,
    #[prop(optional)] disabled: bool,
    #[prop(optional)] readonly: bool,
    #[prop(optional)] autofocus: bool,
    /// 40 px, only signed out and on first visits.
    #[prop(optional)]
    large: bool,
    /// For keys, ids and addresses.
    #[prop(optional)]
    mono: bool,
    /// The label is only for screen readers: where the place says what the field is.
    #[prop(optional)]
    label_hidden: bool,
) -> impl IntoView {
    let field = FieldState::of(&name, &label, id).beside(value.as_deref(), str::to_owned);
    let class = classes("input", large, mono);
    // An address or a key is not a word: no capitals, no red underline.
    let literal = mono || matches!(kind, "email" | "url");
    let input = view! {
        <input
            class=class
            id=field.id.clone()
            type=kind
            name=name
            value=field.value(value)
            placeholder=placeholder
            autocomplete=autocomplete
            inputmode=inputmode.or_else(|| (kind == "email").then(|| "email".to_owned()))
            autocapitalize=literal.then_some("none")
            spellcheck=literal.then_some("false")
            maxlength=maxlength.map(|n| n.to_string())
            required=required
            disabled=disabled
            readonly=readonly
            autofocus=autofocus
            aria-invalid=field.invalid()
            aria-describedby=field.described_by(help.is_some())
        />
    };
    frame(&field, label, label_hidden, None, help, input.into_any())
}

/// A password: never filled in again; a button to see it, where there is JavaScript.
#[component]
pub fn PasswordField(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    /// `current-password` or `new-password`.
    autocomplete: &'static str,
    #[prop(optional, into)] help: Option<String>,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional)] maxlength: Option<u32>,
    #[prop(optional)] required: bool,
    #[prop(optional)] autofocus: bool,
    #[prop(optional)] large: bool,
    /// A new one of at least so many characters: while it is typed, `public/enhance.js` says how hard it is to guess. Only a hint.
    #[prop(optional)]
    strength_from: Option<usize>,
    /// Seen at the end of the label's line, and reached after the field: "Forgot it?".
    #[prop(optional)]
    aside: Option<AnyView>,
) -> impl IntoView {
    let field = FieldState::of(&name, &label, id);
    let input = view! {
        <span class="input-wrap">
            <input
                class=classes("input", large, false)
                id=field.id.clone()
                type="password"
                name=name
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                maxlength=maxlength.map(|n| n.to_string())
                required=required
                autofocus=autofocus
                aria-invalid=field.invalid()
                aria-describedby=field.described_by(help.is_some())
            />
            <button type="button" class="btn btn-quiet btn-icon btn-sm" hidden=true data-js data-reveal=field.id.clone() aria-label="Show password" aria-pressed="false">
                <IconView icon=Icon::Eye/>
            </button>
        </span>
        {strength_from.map(strength)}
    };
    frame(&field, label, false, aside, help, input.into_any())
}

/// Seen once something is typed. The words say what the bar shows.
fn strength(least: usize) -> AnyView {
    view! {
        <p class="strength" data-strength=least.to_string()>
            <meter min="0" max="4" low="2" high="3" optimum="4" value="0" aria-hidden="true" hidden=true></meter>
            <span class="help" aria-live="polite"></span>
        </p>
    }
    .into_any()
}

/// A file of the person's own, in a [`Form`](super::Form) with `files`. A browser never fills it in again.
#[component]
pub fn FileField(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    /// The kinds that the browser offers to choose from: `image/png,image/jpeg`. What is sent is looked at all the same.
    #[prop(into)]
    accept: String,
    #[prop(optional, into)] help: Option<String>,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let field = FieldState::of(&name, &label, id);
    let input = view! {
        <input
            class="input"
            id=field.id.clone()
            type="file"
            name=name
            accept=accept
            required=required
            aria-invalid=field.invalid()
            aria-describedby=field.described_by(help.is_some())
        />
    };
    frame(&field, label, false, None, help, input.into_any())
}

/// Several lines of text.
#[component]
pub fn TextArea(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional, into)] help: Option<String>,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional, into)] id: Option<String>,
    #[prop(default = 3)] rows: u32,
    #[prop(optional)] maxlength: Option<u32>,
    #[prop(optional)] required: bool,
    #[prop(optional)] mono: bool,
) -> impl IntoView {
    let field = FieldState::of(&name, &label, id).beside(value.as_deref(), str::to_owned);
    let text = escape_textarea(&field.value(value).unwrap_or_default());
    let input = view! {
        <textarea
            class=classes("textarea", false, mono)
            id=field.id.clone()
            name=name
            rows=rows.to_string()
            placeholder=placeholder
            maxlength=maxlength.map(|n| n.to_string())
            required=required
            aria-invalid=field.invalid()
            aria-describedby=field.described_by(help.is_some())
            inner_html=text
        ></textarea>
    };
    frame(&field, label, false, None, help, input.into_any())
}

/// One of a list; `options` are (value, words).
#[component]
pub fn SelectField(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    options: Vec<(String, String)>,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional, into)] help: Option<String>,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] autocomplete: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(optional)] disabled: bool,
) -> impl IntoView {
    let words = |value: &str| options.iter().find(|(known, _)| known == value).map_or_else(|| value.to_owned(), |(_, words)| words.clone());
    let field = FieldState::of(&name, &label, id).beside(value.as_deref(), words);
    let chosen = field.value(value);
    let input = view! {
        <select
            class="select"
            id=field.id.clone()
            name=name
            autocomplete=autocomplete
            required=required
            disabled=disabled
            aria-invalid=field.invalid()
            aria-describedby=field.described_by(help.is_some())
        >
            {select_options(options, chosen.as_deref())}
        </select>
    };
    frame(&field, label, false, None, help, input.into_any())
}

/// One of a longer list, in groups: each a heading with its (value, words).
#[component]
pub fn GroupedSelectField(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    groups: Vec<(&'static str, Vec<(String, String)>)>,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional, into)] help: Option<String>,
) -> impl IntoView {
    let words = |value: &str| {
        let known = groups.iter().flat_map(|(_, options)| options).find(|(known, _)| known == value);
        known.map_or_else(|| value.to_owned(), |(_, words)| words.clone())
    };
    let field = FieldState::of(&name, &label, None).beside(value.as_deref(), words);
    let chosen = field.value(value);
    let options =
        groups.into_iter().map(|(heading, options)| view! { <optgroup label=heading>{select_options(options, chosen.as_deref())}</optgroup> }).collect_view();
    let input = view! {
        <select
            class="select"
            id=field.id.clone()
            name=name
            aria-invalid=field.invalid()
            aria-describedby=field.described_by(help.is_some())
        >
            {options}
        </select>
    };
    frame(&field, label, false, None, help, input.into_any())
}

pub(super) fn select_options(options: Vec<(String, String)>, chosen: Option<&str>) -> AnyView {
    options
        .into_iter()
        .map(|(value, words)| {
            let selected = chosen == Some(value.as_str());
            view! { <option value=value selected=selected>{words}</option> }
        })
        .collect_view()
        .into_any()
}

/// Label, control, then the error or else the help. The `aside` comes last, so that Tab leads from field to field; CSS lifts it to the label.
pub(super) fn frame(field: &FieldState, label: String, label_hidden: bool, aside: Option<AnyView>, help: Option<String>, control: AnyView) -> AnyView {
    let id = field.id.clone();
    let label = view! { <label for=id class=label_hidden.then_some("visually-hidden")>{label}</label> };
    let aside = aside.map(|aside| view! { <span class="field-aside">{aside}</span> });
    view! { <div class="field">{label}{control}{explanation(field, help)}{aside}</div> }.into_any()
}

/// The error beside the field, else its help; and what is stored, if somebody changed it meanwhile.
pub(super) fn explanation(field: &FieldState, help: Option<String>) -> Option<AnyView> {
    let said = match (&field.error, help) {
        (Some(error), _) => Some(
            view! {
                <p class="field-error" id=format!("{}-error", field.id)><GateGlyph position=Gate::Refused/><span>{error.clone()}</span></p>
            }
            .into_any(),
        ),
        (None, Some(help)) => Some(view! { <p class="help" id=format!("{}-help", field.id)>{help}</p> }.into_any()),
        (None, None) => None,
    };
    let Some(stored) = field.stored.clone() else { return said };
    let stored = view! { <p class="help stored" id=format!("{}-stored", field.id)>"Stored now: "<span class="ink">{stored}</span></p> };
    Some(view! { {said}{stored} }.into_any())
}

fn classes(base: &'static str, large: bool, mono: bool) -> String {
    let size = if large { " input-lg" } else { "" };
    let face = if mono { " mono" } else { "" };
    format!("{base}{size}{face}")
}

/// Leptos 0.8 does not escape the children of a textarea. A leading line break is eaten by the parser, so one is given to it.
fn escape_textarea(text: &str) -> String {
    format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_textarea() {
        assert_eq!(escape_textarea("</textarea><b>&lt;"), "\n&lt;/textarea>&lt;b>&amp;lt;");
    }
}
