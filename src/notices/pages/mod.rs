//! The page of notices, in the settings.

mod notifications;

pub use notifications::NotificationsPage;
