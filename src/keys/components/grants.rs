//! What a plan, a group or a workspace grants of what needs a grant: one tick each, saved together and apart from everything else.

use crate::{
    keys::model::{Grant, GrantChoice},
    ui::{Button, CheckGroup, Choice, Form, Size},
};
use leptos::prelude::*;

#[component]
pub fn GrantForm(
    /** The path of the server function; its argument is `grants`. */
    #[prop(into)]
    action: String,
    /** "What the plan grants". */
    #[prop(into)]
    label: String,
    /** Whose. */
    hidden: Vec<(&'static str, String)>,
    /** What could be granted. */
    needing: Vec<GrantChoice>,
    granted: Vec<Grant>,
    /** For whose keys. */
    #[prop(into)]
    help: String,
) -> impl IntoView {
    let values: Vec<String> = granted.iter().map(ToString::to_string).collect();
    let choice = |it: &GrantChoice| {
        let words = if it.description.is_empty() { it.api_name.clone() } else { format!("{}: {}", it.api_name, it.description) };
        Choice::new(it.grant.to_string(), it.grant.permission.to_string()).with_help(words)
    };
    // What needs none any more is shown where it is granted, so that it can be taken away.
    let is_free = |grant: &&Grant| !needing.iter().any(|it| it.grant == **grant);
    let free = |grant: &Grant| Choice::new(grant.to_string(), grant.permission.to_string()).with_help(format!("{}: no longer needs a grant.", grant.api));
    let choices: Vec<Choice> = needing.iter().map(choice).chain(granted.iter().filter(is_free).map(free)).collect();
    if choices.is_empty() {
        return view! { <p class="muted">"No permission needs a grant, so any key can have any of them. To require grants, open the settings of "<a href="/admin/apis">"an API"</a>"."</p> }
            .into_any();
    }
    view! {
        <Form action class="stack form-medium" label=label.clone() hidden>
            <CheckGroup label name="grants[]" choices values help/>
            <div class="form-actions"><Button size=Size::Small>"Save grants"</Button></div>
        </Form>
    }
    .into_any()
}
