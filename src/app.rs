//! The document around every page, and the route table: one line per page.

use crate::{
    accounts::{components::ActingBanner, model::ActingBar, pages as accounts},
    admin::pages as admin,
    blocks::pages as blocks,
    error::AppError,
    exports::pages as exports,
    keys::pages as keys,
    notices::pages as notices,
    plans::pages as plans,
    site::pages as site,
    ui::ThemeChoice,
    usage::pages as usage,
};
use leptos::{
    config::LeptosOptions,
    hydration::{AutoReload, HydrationScripts},
    nonce::use_nonce,
    prelude::*,
};
use leptos_meta::{HashedStylesheet, MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

/// The whole document. The theme comes from the cookie, so that there is no flash.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let theme = use_context::<ThemeChoice>().unwrap_or_default().0;
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <HashedStylesheet id="style" options=options.clone()/>
                <script src="/enhance.js" nonce=use_nonce() defer></script>
                <AutoReload options=options.clone()/>
                <HydrationScripts options=options islands=true/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The route table. A request that the guard refused gets the page that says so instead. While an operator acts as somebody, a bar above
/// every page says so, and its title does.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let refused = use_context::<AppError>();
    let acting = use_context::<ActingBar>().map(|bar| bar.name);
    let formatter = move |page: String| title(acting.as_deref(), &page);
    view! {
        <Title formatter/>
        <ActingBanner/>
        <Router>
            {match refused {
                Some(error) => view! { <site::RefusedPage error/> }.into_any(),
                None => view! { <Routes/> }.into_any(),
            }}
        </Router>
    }
}

/// Where one is, then the product. Leptos writes a title into the document as it is, and a name in it may hold `</title>`.
fn title(acting: Option<&str>, page: &str) -> String {
    let page = if page == "Tollgate" { page.to_owned() } else { format!("{page} · Tollgate") };
    let page = acting.map(|name| format!("Acting as {name} · {page}")).unwrap_or(page);
    page.replace('&', "&amp;").replace('<', "&lt;")
}

#[component]
fn Routes() -> impl IntoView {
    view! {
        <FlatRoutes fallback=|| view! { <site::RefusedPage error=AppError::NotFound/> }>
            <Route path=path!("/") view=site::LandingPage ssr=SsrMode::Async/>
            <Route path=path!("/sign-up") view=accounts::SignUpPage ssr=SsrMode::Async/>
            <Route path=path!("/verify-email") view=accounts::VerifyEmailPage ssr=SsrMode::Async/>
            <Route path=path!("/sign-in") view=accounts::SignInPage ssr=SsrMode::Async/>
            <Route path=path!("/sign-in/code") view=accounts::SignInCodePage ssr=SsrMode::Async/>
            <Route path=path!("/sign-in/with/:slug") view=accounts::OnwardPage ssr=SsrMode::Async/>
            <Route path=path!("/sign-in/with/:slug/callback") view=accounts::CameBackPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/security/link") view=accounts::ConfirmLinkPage ssr=SsrMode::Async/>
            <Route path=path!("/step-up") view=accounts::StepUpPage ssr=SsrMode::Async/>
            <Route path=path!("/device") view=accounts::DevicePage ssr=SsrMode::Async/>
            <Route path=path!("/sign-out") view=accounts::SignOutPage ssr=SsrMode::Async/>
            <Route path=path!("/acting") view=accounts::ActingPage ssr=SsrMode::Async/>
            <Route path=path!("/forgot-password") view=accounts::ForgotPasswordPage ssr=SsrMode::Async/>
            <Route path=path!("/reset-password") view=accounts::ResetPasswordPage ssr=SsrMode::Async/>
            <Route path=path!("/unlock") view=accounts::UnlockPage ssr=SsrMode::Async/>
            <Route path=path!("/not-me") view=accounts::NotMePage ssr=SsrMode::Async/>
            <Route path=path!("/keep-factors") view=accounts::KeepFactorsPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/profile") view=accounts::ProfilePage ssr=SsrMode::Async/>
            <Route path=path!("/confirm-email") view=accounts::ConfirmEmailPage ssr=SsrMode::Async/>
            <Route path=path!("/undo-email") view=accounts::UndoEmailPage ssr=SsrMode::Async/>
            <Route path=path!("/delete-account") view=accounts::DeleteAccountPage ssr=SsrMode::Async/>
            <Route path=path!("/come-back") view=accounts::ComeBackPage ssr=SsrMode::Async/>
            <Route path=path!("/u/:handle") view=accounts::UserPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/email") view=accounts::EmailPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/public") view=accounts::PublicProfilePage ssr=SsrMode::Async/>
            <Route path=path!("/settings/danger") view=accounts::DangerPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/security") view=accounts::SecurityPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/security/authenticator") view=accounts::AuthenticatorPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/security/passkey") view=accounts::NewPasskeyPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/security/recovery-codes") view=accounts::RecoveryCodesPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/notifications") view=notices::NotificationsPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/sessions") view=accounts::SessionsPage ssr=SsrMode::Async/>
            <Route path=path!("/keys") view=keys::KeysPage ssr=SsrMode::Async/>
            <Route path=path!("/keys/find") view=keys::FindPage ssr=SsrMode::Async/>
            <Route path=path!("/keys/import") view=keys::ImportPage ssr=SsrMode::Async/>
            <Route path=path!("/keys/create-many") view=keys::CreateManyPage ssr=SsrMode::Async/>
            <Route path=path!("/keys/many") view=keys::ManyPage ssr=SsrMode::Async/>
            <Route path=path!("/keys/:id/sign") view=keys::SignPage ssr=SsrMode::Async/>
            <Route path=path!("/keys/:id") view=keys::KeyPage ssr=SsrMode::Async/>
            <Route path=path!("/dev/ui") view=site::GalleryPage ssr=SsrMode::Async/>
            <Route path=path!("/dev/mailbox") view=site::MailboxPage ssr=SsrMode::Async/>
            <Route path=path!("/admin") view=admin::OverviewPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/accounts") view=admin::AccountsPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/accounts/import") view=admin::ImportAccountsPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/accounts/many") view=admin::ManyAccountsPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/accounts/:id") view=admin::AccountPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/fields") view=admin::FieldsPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/sessions") view=accounts::PoliciesPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/bans") view=admin::BansPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/invites") view=admin::InvitesPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/keys") view=admin::KeysPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/keys/many") view=admin::ManyPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/apis") view=admin::ApisPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/apis/:slug") view=admin::ApiPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/plans") view=plans::PlansPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/groups") view=plans::GroupsPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/blocks") view=blocks::BlocksPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/refusals") view=admin::RefusalsPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/templates") view=admin::TemplatesPage ssr=SsrMode::Async/>
            <Route path=path!("/admin/jobs") view=admin::JobsPage ssr=SsrMode::Async/>
            <Route path=path!("/docs") view=site::DocsPage ssr=SsrMode::Async/>
            <Route path=path!("/docs/api") view=site::ApiDocsPage ssr=SsrMode::Async/>
            <Route path=path!("/docs/:slug") view=site::DocPage ssr=SsrMode::Async/>
            <Route path=path!("/status") view=site::StatusPage ssr=SsrMode::Async/>
            <Route path=path!("/home") view=site::HomePage ssr=SsrMode::Async/>
            <Route path=path!("/usage") view=usage::UsagePage ssr=SsrMode::Async/>
            <Route path=path!("/usage/errors") view=usage::ErrorsPage ssr=SsrMode::Async/>
            <Route path=path!("/exports") view=exports::ExportsPage ssr=SsrMode::Async/>
            <Route path=path!("/requests") view=usage::RequestsPage ssr=SsrMode::Async/>
        </FlatRoutes>
    }
}
