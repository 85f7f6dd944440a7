import type { EventType } from '../../../protocol/wire/event.ts';
import { t } from '../../components/i18n.ts';
import { DEVICE_EVENT_TYPES } from './event-types.ts';

/** Chooses event types; the form gets one field `{name}:{type}` for each that is on. */
export function EventChecks({
  legend,
  name,
  chosen,
  types = DEVICE_EVENT_TYPES,
}: {
  legend: string;
  name: string;
  chosen: readonly EventType[];
  types?: readonly EventType[];
}) {
  return (
    <fieldset>
      <legend class="font-semibold">{legend}</legend>
      <div class="mt-1 grid grid-cols-1 gap-x-6 sm:grid-cols-2">
        {types.map((type) => (
          <label key={type} class="flex min-h-8 items-center gap-2">
            <input
              type="checkbox"
              class="checkbox checkbox-sm"
              name={`${name}:${type}`}
              defaultChecked={chosen.includes(type)}
            />
            {t(`eventType.${type}`)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** The event types chosen in a sent form. */
export const checkedTypes = (
  fields: Record<string, string>,
  name: string,
  types: readonly EventType[] = DEVICE_EVENT_TYPES,
): EventType[] => types.filter((type) => `${name}:${type}` in fields);
