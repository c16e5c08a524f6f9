//! A part of a page that waits for its data: rendered whole on the server, with the error in its place if there is one.

use crate::{error::AppError, ui::ErrorPage};
use leptos::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{pin::Pin, sync::Arc};

/// What `load` gives, as `show` shows it; an error takes its place, with its status, and `next` (words, href) leads on.
pub fn loaded<T, Load>(
    load: impl Fn() -> Load + Send + Sync + 'static,
    show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
    next: (&'static str, &'static str),
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
    Load: Future<Output = Result<T, AppError>> + Send + 'static,
{
    awaited(load, move |it| match it {
        Ok(it) => show(it),
        Err(error) => view! { <ErrorPage error next=(next.0.to_owned(), next.1.to_owned())/> }.into_any(),
    })
}

/// What `load` gives, good or bad, as `show` shows it.
pub fn awaited<T, Load>(
    load: impl Fn() -> Load + Send + Sync + 'static,
    show: impl Fn(Result<T, AppError>) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
    Load: Future<Output = Result<T, AppError>> + Send + 'static,
{
    wait(Box::new(move || -> Loading {
        let (load, show) = (load(), show.clone());
        Box::pin(async move {
            let it = load.await;
            Ready(Arc::new(move || show(it.clone())))
        })
    }))
}

/// What was loaded, ready to be shown. It has one type whatever it is, so that waiting is compiled once and not for each page.
#[derive(Clone)]
struct Ready(Arc<dyn Fn() -> AnyView + Send + Sync>);
type Loading = Pin<Box<dyn Future<Output = Ready> + Send>>;

fn wait(load: Box<dyn Fn() -> Loading + Send + Sync>) -> AnyView {
    let ready = Resource::new_blocking(|| (), move |()| load());
    let shown = move || {
        Suspend::new(async move {
            let Ready(show) = ready.await;
            show()
        })
    };
    view! { <Suspense>{shown}</Suspense> }.into_any()
}

// A resource must be able to cross the wire. This one never does: outside of islands nothing is hydrated, so nothing is sent.
impl Serialize for Ready {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}
impl<'de> Deserialize<'de> for Ready {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("a part of a page is shown by the server"))
    }
}
