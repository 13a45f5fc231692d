// Sends a file; fetch would not tell how far it is.
import type { Attachment } from './protocol';

export function sendFile(server: string, token: string, file: File, progress: (share: number) => void): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `${server}/webchat/files`);
    request.setRequestHeader('authorization', `Bearer ${token}`);
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      try {
        const body = JSON.parse(request.responseText) as { attachment?: Attachment; error?: { message: string } };
        if (request.status < 300 && body.attachment) resolve(body.attachment);
        else reject(new Error(body.error?.message ?? ''));
      } catch {
        reject(new Error(''));
      }
    };
    request.onerror = () => reject(new Error(''));
    const form = new FormData();
    form.append('file', file, file.name);
    request.send(form);
  });
}
