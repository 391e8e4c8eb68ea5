"""The meaning of a policy: for one request, for all requests, and the proof that holds for all of them."""
