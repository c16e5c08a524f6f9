//! `/device`: lets a program in that shows a code (RFC 8628), or turns it away. `?user_code=` is the code; opening the page decides
//! nothing.

use crate::{
    accounts::{
        api::{ApproveProgram, DenyProgram, FindProgram, waiting_program},
        components::loaded,
        model::ProgramView,
    },
    ui::{AuthFrame, Button, ErrorSummary, Fact, Facts, Form, Gate, Look, Note, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn DevicePage() -> impl IntoView {
    match use_query_map().with_untracked(|query| query.get("user_code")) {
        Some(code) => loaded(
            move || waiting_program(code.clone()),
            |found: Option<ProgramView>| match found {
                Some(program) => ask(program),
                None => type_it(true),
            },
        ),
        None => type_it(false),
    }
}

/// `is_gone`: a code was followed under which nothing waits.
fn type_it(is_gone: bool) -> AnyView {
    let gone = is_gone.then(|| {
        view! { <Note gate=Gate::Limited><p>"No program is waiting for this code. It expired after ten minutes, or was already approved or denied."</p></Note> }
    });
    view! {
        <AuthFrame title="Let a program in" lead=view! { "Enter the code that your program shows, for example after “tollgate login”." }.into_any()>
            <ErrorSummary action=ApproveProgram::PATH/>
            <ErrorSummary action=DenyProgram::PATH/>
            {gone}
            <Form action=FindProgram::PATH class="stack">
                <TextField label="Code" name="typed" autocomplete="off" maxlength=20 required=true large=true mono=true autofocus=true
                    help="Eight letters. Only enter a code that is shown on your own device."/>
                <Button look=Look::Primary size=Size::Large block=true>"Go on"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

fn ask(it: ProgramView) -> AnyView {
    let program = if it.program.is_empty() { "No name given".to_owned() } else { it.program };
    let elsewhere = (it.address != it.own_address).then(|| {
        view! {
            <Note gate=Gate::Limited>
                <p>"It is not coming from your address, "<code>{it.own_address}</code>". If you didn't start it there, deny it."</p>
            </Note>
        }
    });
    let hidden = vec![("typed", it.code.clone())];
    view! {
        <AuthFrame title="Let this program in?" lead=view! { "It can do anything you can do in your account, until you sign it out under Sessions." }.into_any()>
            <ErrorSummary action=ApproveProgram::PATH/>
            <ErrorSummary action=DenyProgram::PATH/>
            <Facts>
                <Fact term="Code"><code>{it.code}</code></Fact>
                <Fact term="Calls itself">{program}</Fact>
                <Fact term="Device">{it.device}</Fact>
                <Fact term="Address"><code>{it.address}</code></Fact>
                <Fact term="Asked">{it.asked}</Fact>
            </Facts>
            {elsewhere}
            <p class="help">"Approve only if you just started this program yourself and it shows this exact code. This site never sends you a code or a link to this page."</p>
            <Form action=ApproveProgram::PATH class="stack" quiet=true hidden=hidden.clone()>
                <Button look=Look::Primary size=Size::Large block=true>"Approve"</Button>
            </Form>
            <Form action=DenyProgram::PATH class="stack" quiet=true hidden=hidden>
                <Button size=Size::Large block=true>"Deny"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}
