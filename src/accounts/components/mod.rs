//! Widgets that speak of the caller: the frame around every signed-in page.

mod frame;

pub use frame::Framed;
