//! The inputs of the fields that operators made.

use crate::{
    accounts::model::{FieldKind, FieldValue},
    ui::{CheckField, SelectField, TextField},
};
use leptos::prelude::*;

/// One input for each field, with what was written into it.
#[component]
pub fn FieldInputs(fields: Vec<FieldValue>, #[prop(optional)] large: bool) -> impl IntoView {
    fields.into_iter().map(|it| input(it, large)).collect_view().into_any()
}

fn input(it: FieldValue, large: bool) -> AnyView {
    let FieldValue { field, value, .. } = it;
    let (label, name, required) = (field.label, format!("fields[{}]", field.slug), field.is_required);
    match field.kind {
        FieldKind::Checkbox => view! { <CheckField label name checked={value == "true"}/> }.into_any(),
        FieldKind::Choice => {
            let none = (String::new(), "Choose".to_owned());
            // One that is on the list no more stays chosen until another one is.
            let kept = (!value.is_empty() && !field.choices.contains(&value)).then(|| value.clone());
            let options: Vec<(String, String)> =
                std::iter::once(none).chain(kept.into_iter().chain(field.choices).map(|choice| (choice.clone(), choice))).collect();
            view! { <SelectField label name options value required/> }.into_any()
        }
        FieldKind::Text => view! { <TextField label name value maxlength=200 required large/> }.into_any(),
        FieldKind::Number => view! { <TextField label name value inputmode="decimal" maxlength=15 required large/> }.into_any(),
        FieldKind::Date => view! { <TextField label name value kind="date" required large/> }.into_any(),
        FieldKind::Url => view! { <TextField label name value kind="url" maxlength=500 placeholder="https://" required large/> }.into_any(),
    }
}
