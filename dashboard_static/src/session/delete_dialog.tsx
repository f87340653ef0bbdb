/** Asks once more, for what is deleted does not come back. */

import { useSignal } from "@preact/signals";
import { closeSession } from "../hub";
import { rich, t } from "../messages";
import { go } from "../router";
import { erase } from "./acts";
import { Dialog, DialogButtons } from "./dialog";

export function DeleteDialog({ id, title, closed }: { id: string; title: string; closed: () => void }) {
  const failure = useSignal("");
  const busy = useSignal(false);
  const erased = async () => {
    busy.value = true;
    failure.value = await erase(id);
    busy.value = false;
    if (failure.peek()) return;
    go("#/");
    closeSession(id);
  };
  return (
    <Dialog title={t("Delete this session?")} testid="delete-dialog" closed={closed}>
      <p class="dialog-words">
        {rich("“{title}” and all that is recorded of it will be gone, for everybody. This cannot be undone.", {
          title: <bdi>{title}</bdi>,
        })}
      </p>
      <DialogButtons closed={closed} failure={failure.value}>
        <button type="button" class="danger" data-testid="confirm-delete" disabled={busy.value} onClick={erased}>
          {t("Delete")}
        </button>
      </DialogButtons>
    </Dialog>
  );
}
