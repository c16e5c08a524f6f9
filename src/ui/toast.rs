//! What was just done, and the way back. The server provides a [`Toast`] in context for one page (a flash); every frame shows
//! it. An always present status line beside it lets `enhance.js` say "Copied" to screen readers.

use super::Form;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// One sentence, and an optional form that undoes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toast {
    pub text: String,
    pub undo: Option<Undo>,
}

/// The server function that takes it back, and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Toast {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None }
    }
}

/// The toast of this page, if there is one in context.
#[component]
pub fn Toasts() -> impl IntoView {
    view! {
        <div class="toasts">
            <p class="visually-hidden" role="status" id="said"></p>
            {use_context::<Toast>().map(|toast| view! { <ToastView toast/> })}
        </div>
    }
}

#[component]
pub fn ToastView(toast: Toast) -> impl IntoView {
    let undo = toast.undo.map(|undo| {
        let fields = undo.fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
        view! { <Form action=undo.action quiet=true>{fields}<button class="btn btn-sm">"Undo"</button></Form> }
    });
    view! { <div class="toast" role="status"><p>{toast.text}</p>{undo}</div> }
}
