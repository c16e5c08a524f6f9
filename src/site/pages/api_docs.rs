//! `/docs/api`: the REST reference, shown by the vendored viewer from `/api/v1/openapi.json`. Without JavaScript: the document itself.

use crate::{accounts::Caller, ui::PublicFrame};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::{Stylesheet, Title};

#[component]
pub fn ApiDocsPage() -> impl IntoView {
    let entered = use_context::<Caller>().is_some();
    let links = vec![("Docs".to_owned(), "/docs".to_owned())];
    view! {
        <Title text="API reference"/>
        <Stylesheet href="/docs/api/viewer/swagger-ui.css"/>
        <PublicFrame links entered foot="Tollgate">
            <div class="viewer">
                <h1 class="visually-hidden">"API reference"</h1>
                <div id="swagger-ui"></div>
                <noscript>
                    <p>"The viewer needs JavaScript. The reference itself is "<a href="/api/v1/openapi.json">"openapi.json"</a>" (OpenAPI 3.1)."</p>
                </noscript>
            </div>
        </PublicFrame>
        <script nonce=use_nonce() defer src="/docs/api/viewer/swagger-ui-bundle.js"></script>
        <script nonce=use_nonce() defer src="/docs/api/viewer/swagger-ui-standalone-preset.js"></script>
        <script nonce=use_nonce() defer src="/docs/api/viewer/swagger-initializer.js"></script>
    }
}
