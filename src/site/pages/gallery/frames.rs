//! What stands around a whole page: each at `/dev/ui?frame=…`, because a document has one title, one status and one main part.

use super::frame;
use crate::{error::AppError, ui::*};
use leptos::prelude::*;

/// The frames by their names in the address.
const FRAMES: [(&str, &str); 4] = [("auth", "Signing in"), ("public", "Public page"), ("missing", "No such page"), ("failed", "Failed page")];

#[component]
pub fn Frames() -> impl IntoView {
    view! {
        <Section id="frames" title="Frames, error pages" lead="Each takes a whole page. The frame around this one is the signed-in one.">
            <div class="row">
                {FRAMES.into_iter().map(|(name, words)| view! { <LinkButton href=format!("/dev/ui?frame={name}")>{words}</LinkButton> }).collect_view()}
            </div>
        </Section>
    }
    .into_any()
}

/// The page in the frame of this name; none if there is no such frame.
pub fn framed(name: &str) -> Option<AnyView> {
    match name {
        "auth" => Some(auth()),
        "public" => Some(public(view! { <PageHeader title="Public page" lead=view! { "The landing page and the docs." }.into_any()/> }.into_any())),
        "missing" => {
            let crumbs = vec![Crumb::link("Components", "/dev/ui"), Crumb::here("Not found")];
            Some(view! { <AppFrame frame=frame() crumbs><ErrorPage error=AppError::NotFound/></AppFrame> }.into_any())
        }
        "failed" => {
            let (error, next) = (AppError::Internal { request_id: "req_01K3V7QDE4".into() }, ("Components".to_owned(), "/dev/ui".to_owned()));
            Some(public(view! { <ErrorPage error next/> }.into_any()))
        }
        _ => None,
    }
}

fn auth() -> AnyView {
    let foot = vec![("Components".to_owned(), "/dev/ui".to_owned())];
    view! {
        <AuthFrame title="Signing in" lead=view! { "New here? "<a href="#main">"Create an account"</a> }.into_any() raised=true foot>
            <Form action="/fn/gallery" id="gallery-auth" class="stack">
                <TextField label="Email" name="email" kind="email" autocomplete="username" large=true/>
                <PasswordField label="Password" name="password" autocomplete="current-password" large=true/>
                <Button look=Look::Primary size=Size::Large block=true>"Sign in"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

fn public(page: AnyView) -> AnyView {
    let links = vec![("Components".to_owned(), "/dev/ui".to_owned())];
    view! { <PublicFrame links foot="Tollgate"><div class="site">{page}</div></PublicFrame> }.into_any()
}
