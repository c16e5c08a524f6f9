//! `/verify-email`: the button behind a mailed link, or why the link does nothing any more; or, where somebody just signed up, "Check your
//! inbox" with the field for the code; or a way to get a new mail. Opening it changes nothing (R53).

use crate::{
    accounts::{
        api::{ResendVerification, VerifyEmail, before_sign_in},
        components::{WayOn, loaded},
        model::{Door, LinkView, VerifyLink},
    },
    ui::{AuthFrame, Button, ErrorSummary, Fact, Facts, Form, FormOutcome, Look, SignUpOpen, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn VerifyEmailPage() -> impl IntoView {
    loaded(before_sign_in, |it: LinkView| match (it.verify, it.pending) {
        (Some(VerifyLink::Works { is_elsewhere }), pending) => confirm(pending, is_elsewhere),
        (Some(VerifyLink::Used), _) => used(),
        (Some(VerifyLink::Dead), pending) => dead(pending),
        (None, Some(address)) => check_inbox(address, it.mail_from, it.door),
        (None, None) => ask_again(),
    })
}

/// In another browser than the one that signed up a password comes next: whoever typed the address there may be somebody else.
fn confirm(pending: Option<String>, is_elsewhere: bool) -> AnyView {
    // After a refusal the way out stands right there.
    let was_refused = use_context::<FormOutcome>().is_some();
    let again = was_refused.then(|| resend(pending));
    let lead = match is_elsewhere {
        false => "Press the button to confirm your address, then sign in.",
        true => "You signed up in another browser. Press the button, then choose a password on the next page.",
    };
    let elsewhere = is_elsewhere.then(|| {
        view! {
            <p class="help">
                "This removes what was set up there, in case it wasn't you. To keep it, enter the code from the email there, or "
                <a href="/sign-in">"sign in"</a>" here first with the password you chose."
            </p>
        }
    });
    view! {
        <AuthFrame title="Confirm your email" raised=true lead=view! { {lead} }.into_any()>
            <Form action=VerifyEmail::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>"Confirm email"</Button>
            </Form>
            {elsewhere}
            {again}
        </AuthFrame>
    }
    .into_any()
}

fn used() -> AnyView {
    let why = "This link was already used. You can sign in.";
    view! { <WayOn title="Your email is confirmed" why next=("Sign in", "/sign-in") refused=VerifyEmail::PATH/> }.into_any()
}

/// Whose address it is for stays unsaid: a new mail is sent to the one that signed up here, or to one that is typed, and the answer is the
/// same for every address (R15).
fn dead(pending: Option<String>) -> AnyView {
    let lead = "It expired, or we sent a newer one. Links work once, for 60 minutes. Use the newest email, or ask for another one.";
    let is_from_here = pending.is_some();
    view! {
        <AuthFrame title="This link does not work" lead=view! { {lead} }.into_any()>
            // The form of the code says by itself what was refused.
            {(!is_from_here).then(|| view! { <ErrorSummary action=VerifyEmail::PATH/> })}
            {is_from_here.then(code)}
            {resend(pending)}
            <p class="help">"Already confirmed? "<a href="/sign-in">"Sign in"</a>"."</p>
        </AuthFrame>
    }
    .into_any()
}

fn code() -> AnyView {
    view! {
        <Form action=VerifyEmail::PATH class="stack">
            <TextField label="Code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength=12 large=true help="Six digits. The code works for 10 minutes, the link for 60."/>
            <Button look=Look::Primary size=Size::Large block=true>"Confirm email"</Button>
        </Form>
    }
    .into_any()
}

fn check_inbox(address: String, mail_from: String, door: Door) -> AnyView {
    // An invitation that is used up opens the page for signing up no more.
    let otherwise = match door {
        Door::Open | Door::Invited => view! { ", or "<a href="/sign-up">"use another address"</a>"." }.into_any(),
        Door::InviteNeeded | Door::InviteOver => view! { ". If that address is wrong, ask for another invitation." }.into_any(),
        Door::Closed => view! { "." }.into_any(),
    };
    let lead = view! {
        "We sent an email to "<b class="strong ink">{address.clone()}</b>". Open its link on any device and press the button there, or enter its code here."
    };
    view! {
        <AuthFrame title="Check your inbox" raised=true lead=lead.into_any()>
            <Facts><Fact term="From">{mail_from}</Fact><Fact term="Subject">"Confirm your email"</Fact></Facts>
            {code()}
            {resend(Some(address))}
            <p class="help">
                "Nothing after a minute? Check your spam folder"{otherwise}
                " If the address already has an account, our email says to sign in instead."
            </p>
        </AuthFrame>
    }
    .into_any()
}

fn ask_again() -> AnyView {
    view! {
        <AuthFrame title="Confirm your email" lead=view! { "Open the link in the email, or ask for another one." }.into_any()>
            {resend(None)}
            {SignUpOpen::here().then(|| view! { <p class="help">"No account yet? "<a href="/sign-up">"Create one"</a>"."</p> })}
        </AuthFrame>
    }
    .into_any()
}

/// To the address that this browser signed up with, or to one that is typed.
fn resend(known: Option<String>) -> AnyView {
    let is_known = known.is_some();
    view! {
        <Form action=ResendVerification::PATH class="stack">
            {(!is_known).then(|| view! { <TextField label="Email" name="email" kind="email" autocomplete="email" maxlength=254 required=true large=true/> })}
            <Button size=Size::Large block=true>{if is_known { "Send it again" } else { "Send a new email" }}</Button>
        </Form>
    }
    .into_any()
}
