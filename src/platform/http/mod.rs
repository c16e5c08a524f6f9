//! The HTTP layers, in the order in which `boot::router` stacks them.
