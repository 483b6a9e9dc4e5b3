//! A scripted attacker: each file plays one family of attacks as whoever means harm would, against the bank's pages over
//! real sockets, and each attack ends as the rules say. What single rules promise is proven beside them (`bank/`).

mod connections;
mod ground;
mod headers;
