import {
  type HoldReason,
  heldIn,
  lostDecisionsIn,
  type PassObserver,
  type PassReport,
  untouchedIn,
} from '@reattach/core';

/** What the last pass made of an attachment of a lost node, and since when passes have said so. */
export interface Standing {
  readonly decision: 'keep' | 'wait' | 'hold' | 'fence' | 'release';
  readonly reason?: HoldReason;
  /** Why what was decided could not be done; absent when it could. */
  readonly prevented?: string;
  readonly sinceMs: number;
}

/** Remembers decisions about attachments of lost nodes from pass to pass, as long as there is something to decide. */
export class DecisionAges implements PassObserver {
  #standings: ReadonlyMap<string, Standing> = new Map();

  /** @param uid of the VolumeAttachment. */
  of(uid: string): Standing | undefined {
    return this.#standings.get(uid);
  }

  /** No passes run here any more. */
  forget(): void {
    this.#standings = new Map();
  }

  passed(report: PassReport): void {
    const standings = new Map<string, Standing>();
    const note = (uid: string, standing: Omit<Standing, 'sinceMs'>) => {
      const known = this.#standings.get(uid);
      const isSame = known?.decision === standing.decision && known.reason === standing.reason;
      standings.set(uid, { ...standing, sinceMs: isSame ? known.sinceMs : report.nowMs });
    };
    const untouched = untouchedIn(report);
    for (const { attachment, verdict } of lostDecisionsIn(report)) {
      const known = this.#standings.get(attachment.uid);
      const isUnderWay =
        untouched.has(attachment.uid) && (verdict.kind === 'fence' || verdict.kind === 'release');
      // What kept it from being done is news only once it has been tried again.
      if (isUnderWay && known?.prevented !== undefined) standings.set(attachment.uid, known);
      else note(attachment.uid, { decision: verdict.kind });
    }
    for (const { decision, reason, why } of heldIn(report)) {
      const isPrevented = decision.verdict.kind !== 'hold';
      note(decision.attachment.uid, { decision: 'hold', reason, ...(isPrevented && { prevented: why }) });
    }
    this.#standings = standings;
  }
}
