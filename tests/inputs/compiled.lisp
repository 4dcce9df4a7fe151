;;; Functions compiled, called, dropped and collected (the collector moves code); threads, signals, a child, faults.
(defun parent () (sb-alien:alien-funcall (sb-alien:extern-alien "getppid" (function sb-alien:int))))
(defun own () (sb-alien:alien-funcall
               (sb-alien:extern-alien "syscall" (function sb-alien:long sb-alien:long)) 39))

(defun hot (count)
  (loop with pid = (own) with parent = (parent)
        repeat count count (and (= (own) pid) (= (parent) parent))))

(defun made (count)
  (loop for n from 1 to count
        for f = (compile nil `(lambda (i) (declare (fixnum i)) (+ (mod (* i ,n) 1009) (if (plusp (parent)) 1 0))))
        sum (loop for i below 50 sum (funcall f i))
        when (zerop (mod n 20)) do (sb-ext:gc :full (zerop (mod n 100)))))

(defun threads (count)
  (mapcar #'sb-thread:join-thread
          (loop for n below count
                collect (sb-thread:make-thread
                         (lambda (n) (let ((kept (loop repeat 2000 collect (make-array 20))))
                                       (sb-ext:gc)
                                       (+ (length kept) (hot (* 500 (1+ n))) (made (+ 5 n)))))
                         :arguments (list n)))))

(defun faults (count)
  (loop repeat count
        count (handler-case (sb-sys:sap-ref-8 (sb-sys:int-sap #x7ffffff00000) 0)
                (sb-sys:memory-fault-error () t))))

(format t "hot ~a~%" (hot 20000))
(format t "made ~a~%" (made 100))
(format t "threads ~a~%" (threads 4))
(format t "faults ~a~%" (faults 20))
(format t "errors ~a~%" (loop for i below 200 count (handler-case (/ i (mod i 3)) (division-by-zero () t))))
(format t "deep ~a~%" (handler-case (labels ((down (n) (1+ (down (1+ n))))) (down 0))
                        (sb-kernel::control-stack-exhausted () "too deep")))
(format t "timeout ~a~%" (handler-case (sb-ext:with-timeout 0.05 (loop (parent))) (sb-ext:timeout () t)))
(let ((child (sb-ext:run-program "/bin/sh" '("-c" "echo child; exit 4") :output *standard-output*)))
  (format t "child ~a~%" (sb-ext:process-exit-code child)))
(finish-output)
(sb-ext:exit :code 5 :abort t)
