//! The bar above every page while an operator acts as somebody, and the question before it begins.

use crate::{
    accounts::{
        api::{ActAs, StopActing},
        model::{ACTING_MINUTES, ActingBar, ShownWhileActing},
    },
    ui::{Banner, BannerLook, Button, Form, Gate, Icon, IconLink, LinkButton, Look, Note, SelectField, Size, TextArea},
    values::AccountId,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// As whom, until when, and the way back; nothing where nobody acts. Its form goes to a page of its own, so that it works on pages that
/// are refused, too.
#[component]
pub fn ActingBanner() -> impl IntoView {
    use_context::<ActingBar>().map(banner)
}

fn banner(bar: ActingBar) -> AnyView {
    let (what, until, button) = if bar.is_over {
        (format!("Your time as {} is over", bar.name), "You can't do anything until you go back.".to_owned(), "Go back")
    } else {
        (format!("You act as {}", bar.name), format!("until {}", bar.until), "Stop")
    };
    let act = view! {
        <form method="post" action="/acting">
            <input type="hidden" name="_fn" value=StopActing::PATH/>
            <Button size=Size::Small>{button}</Button>
        </form>
    };
    view! {
        <div class="acting-bar">
            <Banner look=BannerLook::Impersonation label="Acting as somebody else" act=act.into_any()>
                <b class="truncate">{what}</b>
                <span class="sub truncate">{until}</span>
            </Banner>
        </div>
    }
    .into_any()
}

/// Whether a link, a tab or an entry of a menu is shown, by its address or the path of its server function: while an operator acts as
/// somebody, only what is answered then.
pub fn is_shown(href: &str) -> bool {
    let path = href.split(['?', '#']).next().unwrap_or_default();
    use_context::<ShownWhileActing>().is_none_or(|ShownWhileActing(is_answered)| is_answered(path))
}

/// What will happen, why it is done, and for how long.
#[component]
pub fn ActAsCard(id: AccountId, #[prop(into)] name: String, #[prop(into)] email: String) -> impl IntoView {
    let back = format!("/admin/accounts/{id}");
    let minutes = ACTING_MINUTES.map(|n| (n.to_string(), format!("{n} minutes"))).to_vec();
    view! {
        <section class="card danger-card" id="act-as" aria-labelledby="h-act-as">
            <div class="card-head">
                <h2 id="h-act-as">"Act as "{name}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=back.clone() size=Size::Small/></span>
            </div>
            <Form action=ActAs::PATH class="card-body stack" hidden=vec![("id", id.to_string())]>
                <Note gate=Gate::Limited>
                    <b class="strong">"This browser shows the account as its owner sees it. "</b>
                    {email}" is told now, by email, with your reason. You can look around and change the profile's name, time zone, language and fields. Your changes are recorded as yours. You can't change passwords, second factors, keys or sessions, or close the account."
                </Note>
                <TextArea label="Reason" name="reason" help="The account's owner will see it." maxlength=300 rows=2 required=true/>
                <SelectField label="For how long" name="minutes" options=minutes value="15" help="It ends automatically, or when your own session ends."/>
                <div class="form-actions">
                    <Button look=Look::Danger>"Act as this account"</Button>
                    <LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton>
                </div>
            </Form>
        </section>
    }
    .into_any()
}
