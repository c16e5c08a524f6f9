//! A part of a page that waits for its data: rendered whole on the server, with the error in its place if there is one.

use crate::{error::AppError, ui::ErrorPage};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

/// What `load` gives, as `show` shows it; an error takes its place, with its status, and `next` (words, href) leads on.
pub fn loaded<T, Load>(
    load: impl Fn() -> Load + Send + Sync + 'static,
    show: impl Fn(T) -> AnyView + Copy + Send + Sync + 'static,
    next: (&'static str, &'static str),
) -> AnyView
where
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
    Load: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let resource = Resource::new_blocking(|| (), move |()| load());
    let shown = move || {
        Suspend::new(async move {
            match resource.await {
                Ok(it) => show(it),
                Err(error) => view! { <ErrorPage error next=(next.0.to_owned(), next.1.to_owned())/> }.into_any(),
            }
        })
    };
    view! { <Suspense>{shown}</Suspense> }.into_any()
}
