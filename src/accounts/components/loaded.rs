//! Loading what a page shows.

use crate::{error::AppError, ui::ErrorPage};
use leptos::prelude::*;

/// What `load` gives, as `show` shows it; an error takes its place, with its status.
pub fn loaded<T, Load>(load: impl Fn() -> Load + Send + Sync + 'static, show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static) -> AnyView
where
    T: Clone + Send + Sync + serde::Serialize + serde::de::DeserializeOwned + 'static,
    Load: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let resource = Resource::new_blocking(|| (), move |()| load());
    let shown = move || {
        let show = show.clone();
        Suspend::new(async move {
            match resource.await {
                Ok(it) => show(it),
                Err(error) => view! { <ErrorPage error/> }.into_any(),
            }
        })
    };
    view! { <Suspense>{shown}</Suspense> }.into_any()
}
