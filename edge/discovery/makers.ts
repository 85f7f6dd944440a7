const MAKERS = /hikvision|hiwatch|hilook|ezviz|annke|axis|dahua|hanwha|bosch|uniview|reolink|vivotek|mobotix/i;
/** How the makers' model names begin. */
const MODELS = /(?:^|[\s_(])(?:i?DS|AX|HWI|HWN|HWP|IPC|NVR|DVR|THC)-[A-Z0-9]/i;
const WORDS = /network ?(?:camera|video)|ip ?camera|video ?(?:recorder|door|intercom)|doorbell|\b(?:ipc|nvr|dvr)\b/i;

/** Whether a name that a device gives itself is one of a video or security device: televisions and printers answer, too. */
export const looksLikeDevice = (name: string): boolean => MAKERS.test(name) || MODELS.test(name) || WORDS.test(name);
