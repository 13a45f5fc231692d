// Sends a file; fetch would not tell how far it is.
import type { Attachment } from './protocol';

/** A file that was not taken; `code` is empty where the server was not reached. */
export class NotTaken extends Error {
  constructor(
    readonly code: string,
    message = '',
  ) {
    super(message);
  }
}

export function sendFile(server: string, token: string, file: File, progress: (share: number) => void): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `${server}/webchat/files`);
    request.setRequestHeader('authorization', `Bearer ${token}`);
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      try {
        const body = JSON.parse(request.responseText) as { attachment?: Attachment; error?: { code: string; message: string } };
        if (request.status < 300 && body.attachment) resolve(body.attachment);
        else reject(new NotTaken(body.error?.code ?? '', body.error?.message));
      } catch {
        reject(new NotTaken(''));
      }
    };
    request.onerror = () => reject(new NotTaken(''));
    const form = new FormData();
    form.append('file', file, file.name);
    request.send(form);
  });
}
