//! A page that waits for what it shows; an error takes its place, with its status.

use crate::{error::AppError, ui::ErrorPage};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

/// What `load` gives, as `show` shows it; `error_in` stands around the page that says why there is nothing.
pub fn loaded<T, Load>(
    load: impl Fn() -> Load + Send + Sync + 'static,
    show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
    error_in: impl Fn(AnyView) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
    Load: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let resource = Resource::new_blocking(|| (), move |()| load());
    let shown = move || {
        let (show, error_in) = (show.clone(), error_in.clone());
        Suspend::new(async move {
            match resource.await {
                Ok(it) => show(it),
                Err(error) => error_in(view! { <ErrorPage error next=("Go to your keys".to_owned(), "/keys".to_owned())/> }.into_any()),
            }
        })
    };
    view! { <Suspense>{shown}</Suspense> }.into_any()
}
