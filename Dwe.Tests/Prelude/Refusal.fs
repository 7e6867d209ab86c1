/// Wrong input must end in a `UserErrorException`, and tests spell out its whole message.
module Dwe.Tests.Prelude.Refusal

open Dwe.Model.Domain
open Expecto

/// The message of the error that the action ends in; the test fails when it ends in anything else.
let messageOf (action: unit -> unit) =
    try
        action ()
        failtest "expected a UserErrorException, but nothing was refused"
    with :? UserErrorException as refusal ->
        refusal.Message

/// The action is refused with exactly this message.
let isSpelled (expected: string) (action: unit -> unit) =
    Expect.equal (messageOf action) expected "the message of the refusal"
