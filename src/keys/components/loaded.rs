//! A page that waits for what it shows; an error takes its place, with its status.

use crate::{
    error::AppError,
    ui::{ErrorPage, awaited},
};
use leptos::prelude::*;

/// What `load` gives, as `show` shows it; `error_in` stands around the page that says why there is nothing.
pub fn loaded<T, Load>(
    load: impl Fn() -> Load + Send + Sync + 'static,
    show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
    error_in: impl Fn(AnyView) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
    Load: Future<Output = Result<T, AppError>> + Send + 'static,
{
    awaited(load, move |it| match it {
        Ok(it) => show(it),
        Err(error) => error_in(view! { <ErrorPage error next=("Go to your keys".to_owned(), "/keys".to_owned())/> }.into_any()),
    })
}
