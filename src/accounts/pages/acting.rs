//! `/acting`: the way back from the account of somebody else. The bar above every page posts here; opening it ends nothing.

use crate::{
    accounts::{api::StopActing, model::ActingBar},
    ui::{AuthFrame, Button, Form, LinkButton, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ActingPage() -> impl IntoView {
    let Some(bar) = use_context::<ActingBar>() else {
        return view! {
            <AuthFrame title="You act as nobody else" lead=view! { "This browser is signed in to your own account." }.into_any()>
                <LinkButton href="/home" look=Look::Primary size=Size::Large block=true>"Go to Home"</LinkButton>
            </AuthFrame>
        }
        .into_any();
    };
    let (title, lead) = if bar.is_over {
        (format!("Your time as {} is over", bar.name), "You can't do anything until you go back to your own account.")
    } else {
        (format!("Stop acting as {}", bar.name), "You return to your own account.")
    };
    let stay = (!bar.is_over).then(|| view! { <LinkButton href="/home" size=Size::Large block=true>"Go on"</LinkButton> });
    view! {
        <AuthFrame title lead=view! { {lead} }.into_any()>
            <Form action=StopActing::PATH class="stack-sm">
                <Button look=Look::Primary size=Size::Large block=true>"Go back to your account"</Button>
                {stay}
            </Form>
        </AuthFrame>
    }
    .into_any()
}
