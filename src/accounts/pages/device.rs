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
        view! { <Note gate=Gate::Limited><p>"No program waits under this code: it took longer than ten minutes, or was decided."</p></Note> }
    });
    view! {
        <AuthFrame title="Let a program in" lead=view! { "Type the code that your program shows, such as one where you ran “tollgate login”." }.into_any()>
            <ErrorSummary action=ApproveProgram::PATH/>
            <ErrorSummary action=DenyProgram::PATH/>
            {gone}
            <Form action=FindProgram::PATH class="stack">
                <TextField label="Code" name="typed" autocomplete="off" maxlength=20 required=true large=true mono=true autofocus=true
                    help="Eight letters. Type only one that you see on a device of your own."/>
                <Button look=Look::Primary size=Size::Large block=true>"Go on"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

fn ask(it: ProgramView) -> AnyView {
    let program = if it.program.is_empty() { "It gives no name".to_owned() } else { it.program };
    let elsewhere = (it.address != it.own_address).then(|| {
        view! {
            <Note gate=Gate::Limited>
                <p>"It asks from another address than yours, "<code>{it.own_address}</code>". If you did not start it there, deny it."</p>
            </Note>
        }
    });
    let hidden = vec![("typed", it.code.clone())];
    view! {
        <AuthFrame title="Let this program in?" lead=view! { "It could then do in your account what you may do, until you sign it out on the page Sessions." }.into_any()>
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
            <p class="help">"Approve only if you started this program yourself just now and it shows this very code. Nobody from this site ever sends you a code or a link to this page."</p>
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
