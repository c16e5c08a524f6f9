//! A page that is not shown: nothing at this address, or a permission is missing.

use crate::{
    accounts::{Caller, components::Framed},
    error::AppError,
    ui::{Crumb, ErrorPage, PublicFrame},
};
use leptos::prelude::*;

/// In the frame of whoever asks.
#[component]
pub fn RefusedPage(error: AppError) -> impl IntoView {
    if use_context::<Caller>().is_some() {
        let here = match &error {
            AppError::NotFound => "Not found",
            AppError::Forbidden { .. } | AppError::Locked { .. } | AppError::Refused { .. } | AppError::Blocked { .. } => "Not allowed",
            error if error.status() >= 500 => "Failed",
            _ => "Not accepted",
        };
        let crumbs = vec![Crumb::here(here)];
        view! { <Framed crumbs><ErrorPage error/></Framed> }.into_any()
    } else {
        let next = ("Go to the start".to_owned(), "/".to_owned());
        view! { <PublicFrame foot="Tollgate"><div class="site"><ErrorPage error next/></div></PublicFrame> }.into_any()
    }
}
