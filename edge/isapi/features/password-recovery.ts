import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../answer.ts';
import { putDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text } from '../xml.ts';
import { encodeText } from '../xml-scan.ts';
import { bool, num, readOnly } from './fields.ts';

const QUESTIONS = '/Security/questionConfiguration';

/** Its security questions by number, and which have an answer. One client is known to use this path: unverified. */
export async function readQuestions(
  device: Pick<IsapiDevice, 'get'>,
  signal?: AbortSignal,
): Promise<Result<{ id: number; set: boolean }[]>> {
  const got = await device.get(QUESTIONS, signal);
  if (!got.ok) return got;
  const found = list(got.value.node, 'QuestionList', 'Question').map((question) => ({
    id: Number(text(question, 'id') || text(question, 'ID')),
    set: /^true$/i.test(text(question, 'mark')),
  }));
  return { ok: true, value: found.filter(({ id }) => Number.isInteger(id) && id > 0).slice(0, 32) };
}

/** Keeps the answers to three questions (PWD-08); refused where there are answers already. */
export async function writeQuestions(
  device: Pick<IsapiDevice, 'get' | 'client'>,
  password: string,
  answers: { id: number; answer: string }[],
  signal?: AbortSignal,
): Promise<Result<void>> {
  const now = await readQuestions(device, signal);
  if (!now.ok) return now;
  if (now.value.some((question) => question.set))
    return failure('conflict', 'It has answers already; they are set once.');
  const items = answers.map(
    ({ id, answer }) => `<Question><id>${id}</id><answer>${encodeText(answer)}</answer></Question>`,
  );
  const body = `<?xml version="1.0" encoding="UTF-8"?><SecurityQuestion version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><QuestionList>${items.join('')}</QuestionList><password>${encodeText(password)}</password></SecurityQuestion>`;
  const put = await putDocument(device, QUESTIONS, body, signal);
  return put.ok ? { ok: true, value: undefined } : put;
}

/** Whether a forgotten password can be replaced. Setting that up belongs before the device is added (PWD-08). */
export const passwordRecovery: Feature<IsapiDevice> = {
  async offer(device, signal) {
    if (!(await device.has(QUESTIONS, signal))) return {};
    return { sections: [{ section: 'passwordRecovery', channels: null }], unverified: ['passwordRecovery'] };
  },
  sections: {
    passwordRecovery: {
      async read(device, _, signal) {
        const questions = await readQuestions(device, signal);
        if (!questions.ok) return questions;
        const set = questions.value.filter((question) => question.set).length;
        return {
          ok: true,
          value: [bool('questionsSet', set > 0, readOnly), num('questionsAnswered', set, [0, 32], null, readOnly)],
        };
      },
    },
  },
};
