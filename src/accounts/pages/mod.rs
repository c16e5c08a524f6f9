//! The pages of accounts, one file each.

mod doors;

pub use doors::{ForgotPasswordPage, ResetPasswordPage, SessionsPage, SignInPage, SignOutPage, SignUpPage, VerifyEmailPage};
