//! `/` signed out: what this is, and the way in.

use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn LandingPage() -> impl IntoView {
    view! {
        <Title text="Tollgate"/>
        <main class="site" id="main">
            <h1>"The front office of your API"</h1>
            <p><a href="/sign-up">"Sign up"</a>" or "<a href="/sign-in">"sign in"</a></p>
        </main>
    }
}
