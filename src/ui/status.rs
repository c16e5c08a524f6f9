//! The HTTP status of the page that is being rendered. The one place in `ui` that knows it may run in a server.

use crate::error::AppError;

/// Answers this page with `code` (404, 403 …). Does nothing in the browser.
pub fn set(code: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(response), Ok(status)) = (leptos::prelude::use_context::<leptos_axum::ResponseOptions>(), axum::http::StatusCode::from_u16(code)) {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = code;
}

/// Answers this page with the status that says the same as the error.
pub fn set_for(error: &AppError) {
    set(error.status());
}
