//! Code that copies as a whole, ids that copy with one click, and the secret that is shown once. The Copy button appears
//! only where there is JavaScript; a secret can always be selected as a whole. Buttons act by `data-copy` = the id of the
//! element whose text is copied (`public/enhance.js`): it says "Copied" for 1.5 s, keeps its width and the focus.

use super::{Icon, IconView, Look, Size, button::button_class};
use leptos::prelude::*;

/// Where people reach this site, `https://gate.example.com`. Provided by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteOrigin(pub String);

impl SiteOrigin {
    /// What examples are written with.
    const EXAMPLE: &'static str = "http://127.0.0.1:3000";

    /// An example as it works here: with this site in it.
    pub fn in_example(code: &str) -> String {
        use_context::<Self>().map_or_else(|| code.to_owned(), |site| code.replace(Self::EXAMPLE, &site.0))
    }
}

/// A button that copies the text of the element with the id `of`.
#[component]
pub fn CopyButton(
    #[prop(into)] of: String,
    #[prop(default = Look::Secondary)] look: Look,
    #[prop(default = Size::Small)] size: Size,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    view! {
        <button type="button" class=format!("{} copy", button_class(look, size, false, false)) hidden=true data-js data-copy=of autofocus=autofocus>
            <span class="copy-rest"><IconView icon=Icon::Copy/>"Copy"</span>
            <span class="copy-done"><IconView icon=Icon::Check/>"Copied"</span>
        </button>
    }
}

/// A block of code under a head that names it. `id` must be unique on the page.
#[component]
pub fn CodeBlock(
    #[prop(into)] id: String,
    /// The language or the file; also the accessible name of the block.
    #[prop(into)]
    title: String,
    #[prop(into)] code: String,
    /// Breaks long lines instead of scrolling.
    #[prop(optional)]
    wrap: bool,
) -> impl IntoView {
    view! {
        <div class="code">
            <div class="code-head"><span>{title.clone()}</span><CopyButton of=id.clone() look=Look::Quiet/></div>
            <pre class=wrap.then_some("wrap") id=id tabindex="0" role="region" aria-label=title>{code}</pre>
        </div>
    }
}

/// The one-time secret, with its Copy button. The page is guarded: leaving before it was copied asks first. Copying ticks the box
/// `stored` in the form around it or after it.
#[component]
pub fn Secret(#[prop(into)] secret: String) -> impl IntoView {
    view! {
        <div class="secret" data-guard>
            <code id="secret" data-testid="secret">{secret}</code>
            <CopyButton of="secret" look=Look::Primary size=Size::Medium autofocus=true/>
        </div>
    }
}

/// An id that copies with one click. `id` is the element's id, unique on the page.
#[component]
pub fn CopyId(#[prop(into)] id: String, #[prop(into)] text: String) -> impl IntoView {
    view! {
        <span class="copy-id">
            <code id=id.clone()>{text}</code>
            <button type="button" class="btn btn-quiet btn-icon copy-mini" hidden=true data-js data-copy=id aria-label="Copy">
                <IconView icon=Icon::Copy class="copy-rest"/>
                <IconView icon=Icon::Check class="copy-done"/>
            </button>
        </span>
    }
}
