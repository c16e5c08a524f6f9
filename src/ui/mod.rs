//! The design system: components that know no feature. Classes come from `style/`; the gallery is `/dev/ui`.

mod form;

pub use form::{FormOutcome, ThemeChoice, Toast};
