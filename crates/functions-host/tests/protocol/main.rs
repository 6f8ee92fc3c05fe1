//! Tests of the protocol from the host's side: with the requests that the host was seen to send (`captured`), with
//! those that it sends by the confirmed rules (`round_trip`), with any other input (`no_input_panics`), and one test
//! per rule of conformance that concerns a handler (`rules_*`).

mod captured;
mod captured_messages;
mod child;
mod client;
mod encoder;
mod fixture;
mod logs;
mod no_input_panics;
mod round_trip;
mod round_trip_messages;
mod rules_answers;
mod rules_decoding;
mod rules_http;
mod rules_life;
mod rules_messages;
mod rules_outputs;
mod rules_timer;
mod served;
