//! Loading what a page shows.

use crate::{
    error::AppError,
    ui::{ErrorPage, awaited},
};
use leptos::prelude::*;

/// What `load` gives, as `show` shows it; an error takes its place, with its status.
pub fn loaded<T, Load>(load: impl Fn() -> Load + Send + Sync + 'static, show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static) -> AnyView
where
    T: Clone + Send + Sync + 'static,
    Load: Future<Output = Result<T, AppError>> + Send + 'static,
{
    awaited(load, move |it| match it {
        Ok(it) => show(it),
        Err(error) => view! { <ErrorPage error/> }.into_any(),
    })
}
