//! The one limit of a workspace or an API: so many calls in a window, and what becomes of those beyond it.

use crate::{
    accounts::Caller,
    keys::{
        components::{OverFields, RefillField},
        model::{KeyLimit, Window},
    },
    ui::{Button, Form, SelectField, Size, TextField},
};
use leptos::prelude::*;

/// `limits` are the present ones: more than one are set over REST, and one that is set here takes the place of all.
#[component]
pub fn LimitForm(
    #[prop(into)] action: String,
    #[prop(into)] label: String,
    hidden: Vec<(&'static str, String)>,
    limits: Vec<KeyLimit>,
    /** What holds if the number is left empty. */
    #[prop(into)]
    empty: String,
) -> impl IntoView {
    let first = limits.first();
    let window = first.map_or(Window::HOUR, |l| l.window);
    let zone = use_context::<Caller>().map(|caller| caller.time_zone);
    let (over, calls) = (first.map(|l| l.over).unwrap_or_default(), first.map(|l| l.limit.to_string()).unwrap_or_default());
    let several = (limits.len() > 1).then(|| {
        let words = limits.iter().map(|l| format!("{} ({})", l.words(), l.name)).collect::<Vec<_>>().join("; ");
        view! { <p class="help">{format!("Set over REST: {words}. What is set here takes their place.")}</p> }
    });
    view! {
        <Form action id="limit" class="stack form-medium" label hidden>
            <div class="cols-2">
                <TextField label="Calls" name="limit" value=calls inputmode="numeric" autocomplete="off" maxlength=20 help=empty/>
                <SelectField label="In" name="window" options=Window::offered(window, zone.as_deref()) value=window.choice()/>
                <RefillField window/>
            </div>
            <OverFields over/>
            {several}
            <div class="form-actions"><Button size=Size::Small>"Set limit"</Button></div>
        </Form>
    }
    .into_any()
}
