/** What could be done: the release that the twin proposes, what-if runs, and the form for a new one. */

import { useBoard } from "../state/derived";
import { Proposals } from "./Proposals";
import { RehearsalForm } from "./RehearsalForm";
import { Rehearsals } from "./Rehearsals";

export function WhatIf() {
  const board = useBoard();
  return (
    <>
      <Proposals proposals={board?.proposals ?? []} />
      <RehearsalForm />
      <Rehearsals rehearsals={board?.rehearsals ?? []} />
    </>
  );
}
